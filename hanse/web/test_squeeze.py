"""What only indents a template is not sent, and nothing that shows is lost."""

import jinja2
import pytest

from hanse.web.app import TEMPLATES
from hanse.web.squeeze import Squeeze

CASES = [
    ("<ul>\n  <li>\n    One\n    two\n  </li>\n</ul>", "<ul><li>One two</li></ul>"),
    ("<p>A <b>b</b> <i>c</i>\n  d</p>", "<p>A <b>b</b> <i>c</i> d</p>"),
    ("<p>\n  {{ v }} x\n  {{ v }}\n</p>", "<p>7 x 7</p>"),
    ('<td class="{{ v }}"\n    title="a  b">\n  {{ v }}\n</td>', '<td class="7" title="a b">7</td>'),
    ('<a class="{{ v }}">\n  {{ v }}\n</a>', '<a class="7"> 7 </a>'),
    ("<button>\n  Go on\n</button> <button>B</button>", "<button>Go on</button> <button>B</button>"),
    ("<p>{% if v %}\n  x\n{% endif %}</p>", "<p> x </p>"),
    ("<pre>\n  {{ v }}\n   x</pre>\n  <i>", "<pre>\n  7\n   x</pre> <i>"),
    ("<textarea> {{ v }}\n\n</textarea>\n  <i>", "<textarea> 7\n\n</textarea> <i>"),
    ("<script>\n// a {{ v }}\nb\n</script>\n<p>\n</p>", "<script>\n// a 7\nb\n</script><p></p>"),
    ("<progress>\n</progress>\n<colour>", "<progress> </progress> <colour>"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "sent"), CASES)
def test_blanks_that_mean_nothing_are_not_sent_and_others_are_one(template, sent):
    env = jinja2.Environment(extensions=[Squeeze], autoescape=True, trim_blocks=True, lstrip_blocks=True)
    assert env.from_string(template).render(v=7) == sent


def test_no_line_of_a_page_a_style_or_a_script_is_longer_than_a_line_of_code():
    package = TEMPLATES.parent.parent
    paths = [
        path for kind in ("html", "css", "js") for path in package.rglob(f"*.{kind}") if "vendor" not in path.parts
    ]
    assert len(paths) > 100
    found = [
        f"{path.relative_to(package)}:{number}"
        for path in sorted(paths)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > 120 or line != line.rstrip()
    ]
    assert found == []
