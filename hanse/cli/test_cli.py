import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from cyclopts import App

from hanse.cli import ALL, ELSEWHERE, GROUPS, application, main
from hanse.cli.overview import overview
from hanse.cli.serve import PORTS, open_port
from hanse.cli.shell import Answer, _without_json, run, table
from hanse.demo.build import Built
from hanse.node.node import Node
from hanse.node.testing import site, town
from hanse.node.verify import verify
from hanse.site.testing import free_port


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = town(tmp_path_factory.mktemp("cli") / "node")
    with Node(directory, helper=False) as node:
        node.act("anna", site(node, "anna", "Main"))
    return directory


@pytest.fixture
def hanse(capsys, directory):
    """Runs a command with --json; (exit code, the document)."""

    def call(*words, data=directory):
        capsys.readouterr()
        code = main([*map(str, words), "--data", str(data), "--json"] if data else [*map(str, words), "--json"])
        out = capsys.readouterr().out
        assert out.count("\n") == 1, "one document, nothing else"
        return code, json.loads(out)

    return call


def commands(app, before=()):
    found = [before]
    for name in app:
        if not name.startswith("-"):
            found += commands(app[name], (*before, name))
    return found


@pytest.mark.parametrize("words", commands(application()), ids=lambda words: " ".join(("hanse", *words)))
def test_help_of_every_command_reads(words, capsys):
    assert main([*words, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Usage: hanse" in said and "--json" in said
    app = application()
    for word in words:
        app = app[word]
    assert app.help and app.help.split("\n\n")[0].strip().endswith("."), "a command says what it does"


def test_every_file_here_is_a_group():
    from pathlib import Path

    import hanse.cli

    files = {path.stem for path in Path(hanse.cli.__file__).parent.glob("*.py")}
    assert {f for f in files if not f.startswith(("_", "test_"))} - {"shell", "overview"} <= set(GROUPS)


def test_what_is_misspelt_is_a_usage_error(hanse, capsys):
    assert main(["verifi"]) == 64 and "hanse --help" in capsys.readouterr().err
    assert hanse("prove", "first")[0] == 64
    assert hanse("prove")[0] == 64
    assert "usage" in hanse("key", "rotate")[1]
    assert main(["serve", "--port", "abc"]) == 64
    told = capsys.readouterr().err
    assert '"abc" is not a whole number' in told and "`hanse serve --help`" in told


def test_a_refusal_has_its_members_on_stderr_or_as_json(hanse, tmp_path, capsys):
    code, said = hanse("verify", data=tmp_path / "none")
    assert code == 2 and said["refused"]["code"] == "node.no_directory" and said["refused"]["next"]
    assert main(["verify", "--data", str(tmp_path / "none")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "refused: node.no_directory" in err and "next" in err


@pytest.mark.parametrize(
    "words",
    [
        ("serve", "--port", "70000"),
        ("demo", "--port", "-1"),
        ("stock", "list", "--as", "anna", "--limit", "9" * 20),
        ("stock", "dead", "--as", "anna", "--idle-days", "9" * 20),
        ("stock", "count", "x", "9" * 20, "--site", "s", "--as", "anna"),
        ("order", "list", "--as", "anna", "--limit", "9" * 20),
        ("order", "find", "x", "9" * 20, "--city", "Kiel", "--as", "anna"),
        ("key", "rotate", "anna", "--overlap-days", "-3"),
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_a_number_out_of_range_is_a_usage_error(words, hanse):
    code, said = hanse(*words)
    assert code == 64 and "Must be" in said["usage"]


def test_what_the_system_says_of_a_file_is_a_refusal(hanse, directory, tmp_path):
    (tmp_path / "taken").write_text("a file")
    code, said = hanse("backup", tmp_path / "taken" / "copy")
    assert code == 2 and said["refused"]["code"] == "file.failed" and said["refused"]["got"]
    assert hanse("key", "list", "nobody")[1]["refused"]["code"] == "key.unknown_party"
    assert hanse("party", "staff", "anna", "no address")[1]["refused"]["code"] == "account.email"


def test_a_fault_is_told_apart(capsys):
    def broken():
        app = App(name="x", result_action="return_value")

        @app.command
        def fail() -> Answer:
            raise ZeroDivisionError("oh")

        return app

    assert run(broken, ["fail", "--json"]) == 70
    assert json.loads(capsys.readouterr().out) == {"fault": "ZeroDivisionError: oh"}


def test_json_behind_two_dashes_is_an_argument_like_any_other():
    assert _without_json(["a", "--json", "b"]) == (["a", "b"], True)
    assert _without_json(["a", "--", "--json"]) == (["a", "--", "--json"], False)


def test_verify_tells_what_it_found_and_ends_with_one_where_it_is_wrong(hanse, directory, tmp_path, capsys):
    code, said = hanse("verify")
    assert code == 0 and said["ok"] and said["state"] == "equal" and said["entries"] > 30
    assert main(["verify", "--data", str(directory)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out
    key = (directory / "record" / "public" / "key").read_text().strip()
    assert hanse("verify", "--key", key)[1]["own_key"] is False
    assert hanse("verify", "--key", "nonsense")[1]["refused"]["code"] == "verify.bad_key"
    bad = town(tmp_path / "bad")
    checkpoint = bad / "record" / "public" / "checkpoint"
    checkpoint.write_text(checkpoint.read_text().replace("hanse-", "hanze-"))
    code, said = hanse("verify", data=bad)
    assert code == 1 and said["findings"][0]["where"] == "record/public/checkpoint"
    assert main(["verify", "--data", str(bad)]) == 1
    assert "WRONG  record/public/checkpoint" in capsys.readouterr().out


def test_a_proof_is_printed_and_checked(hanse, directory, tmp_path):
    code, proof = hanse("prove", 1)
    assert code == 0 and proof["index"] == 1
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    code, said = hanse("check", tmp_path / "proof.json", "--key", proof["vkeys"][0], data=None)
    assert code == 0 and said["sentence"] == proof["sentence"]
    proof["index"] = 2
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    assert hanse("check", tmp_path / "proof.json", data=None)[1]["refused"]["code"] == "proof.bad_path"
    assert hanse("prove", 9999)[1]["refused"]["code"] == "record.unknown_entry"


def test_one_figure_is_disclosed(hanse, directory):
    position = verify(directory).entries - 1
    code, said = hanse("disclose", position, "city", "--as", "anna")
    assert code == 0 and said["value"] == "Bremen" and said["presentation"].count("~") == 2
    assert hanse("disclose", position, "city", "--as", "bert")[1]["refused"]["code"] == "record.unknown_entry"
    assert hanse("disclose", position, "city", "--as", "nobody")[1]["refused"]["code"] == "node.no_key"


def test_rebuild_backup_and_restore(hanse, directory, tmp_path):
    entries = verify(directory).entries
    assert hanse("rebuild") == (0, {"entries": entries})
    assert hanse("backup", tmp_path / "copy")[1]["entries"] == entries
    assert hanse("backup", tmp_path / "copy")[1]["refused"]["code"] == "backup.target_taken"
    assert hanse("restore", tmp_path / "copy", data=tmp_path / "new")[1]["entries"] == entries
    assert hanse("verify", data=tmp_path / "new")[1]["state"] == "equal"


def test_parties_come_by_hand_and_by_invitation(hanse, tmp_path):
    data = town(tmp_path / "node")
    assert hanse("party", "add", "carl", "--name", "Carl", "--city", "Kiel", data=data)[0] == 0
    secret = hanse("party", "invite", "--as", "anna", data=data)[1]["secret"]
    assert hanse("party", "join", "dora", secret, "--name", "Dora", data=data)[0] == 0
    assert hanse("party", "join", "emil", secret, "--name", "E", data=data)[1]["refused"]["code"] == (
        "parties.invitation_used"
    )
    listed = hanse("party", "list", data=data)[1]
    assert [row["party"] for row in listed] == ["anna", "bert", "carl", "dora", "office"]
    assert all(row["hosted"] for row in listed)
    assert [row["party"] for row in hanse("party", "list", "--search", "kiel", data=data)[1]] == ["carl"]


def test_people_are_invited_by_a_link(hanse, tmp_path):
    from hanse.web.accounts import AccountStore

    data = town(tmp_path / "node")
    words = ("party", "staff", "anna", "b@example.org", "--role", "buyer", "--limit-minor", 50_000)
    code, said = hanse(*words, "--url", "https://trade.example", data=data)
    assert code == 0 and said["link"].startswith("https://trade.example/invitation/")
    accounts = AccountStore(data / "accounts.db")
    invitation = accounts.invitation(said["link"].rpartition("/")[2])
    accounts.close()
    assert (invitation.party, invitation.role, invitation.approval_limit_minor) == ("anna", "buyer", 50_000)
    assert hanse("party", "staff", "zoe", "z@example.org", data=data)[1]["refused"]["code"] == "party.not_hosted"


def test_keys_are_listed_changed_and_declared_compromised(hanse, tmp_path):
    data = town(tmp_path / "node")
    [first] = [card for card in hanse("key", "list", "anna", data=data)[1] if card["owner"] == "anna"]
    made = hanse("key", "rotate", "anna", "--aliases", "--overlap-days", 2, data=data)[1]
    assert len(made) == 3 and made["anna"] != first["kid"]
    with Node(data, helper=False) as node:
        node.act("anna", site(node, "anna", "With the alias's new key"))
    states = {card["kid"]: card["state"] for card in hanse("key", "list", "anna", data=data)[1]}
    assert set(states.values()) == {"good"} and len(states) == 6
    said = hanse("key", "compromise", made["anna"], data=data)[1]
    states = {card["kid"]: card["state"] for card in hanse("key", "list", "anna", data=data)[1]}
    assert states[made["anna"]] == "compromised" and said["instead"] not in (made["anna"],)
    for unknown in ("none", "-starts_with_a_hyphen"):
        assert hanse("key", "compromise", unknown, data=data)[1]["refused"]["code"] == "parties.unknown_key"
    target = tmp_path / "anna.jwk"
    code, said = hanse("key", "export", "anna", target, data=data)
    assert code == 0 and "d" not in said and target.stat().st_mode & 0o077 == 0
    assert json.loads(target.read_text())["kid"] == said["kid"]
    assert hanse("key", "export", "anna", target, data=data)[1]["refused"]["code"] == "key.no_file"
    assert verify(data).ok


def test_kinds_are_listed_with_who_reads_each_field(hanse):
    code, said = hanse("kinds", data=None)
    assert code == 0 and "parties.set_site" in said and all(said.values())
    fields = hanse("kinds", "parties.set_site", data=None)[1]["fields"]
    assert (fields["circle"], fields["city"], fields["address"]) == ("public", "commercial", "personal")
    assert hanse("kinds", "no.such", data=None)[1]["refused"]["code"] == "fact.unknown_kind"


def test_tables_put_numbers_to_the_right():
    made = table("name", "each", rows=[("a", 1), ("b", 2)])
    assert [column.justify for column in made.columns] == ["left", "right"]


def test_a_new_node_is_asked_for_its_first_party(hanse, directory, tmp_path):
    assert hanse("serve", "--new", data=tmp_path / "new")[1]["refused"]["code"] == "serve.new_needs_a_party"
    words = ("serve", "--new", "--party", "a", "--name", "A")
    assert hanse(*words)[1]["refused"]["code"] == "serve.node_stands"
    assert not (tmp_path / "new").exists()


def _answer(address, process, seconds=120):
    """What an address says, as soon as it says anything."""
    stop = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(address, timeout=5).read()
        except OSError:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < stop, "it never answered"
            time.sleep(0.1)


@pytest.mark.slow
def test_a_port_that_is_taken_and_an_address_of_others_are_refused_before_anything_is_done(hanse, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = ("serve", "--new", "--party", "a", "--name", "A", "--port", port)
        assert hanse(*words, data=tmp_path / "new")[1]["refused"]["code"] == "serve.port_taken"
        assert hanse("demo", "--port", port, data=tmp_path / "new")[1]["refused"]["code"] == "serve.port_taken"
        assert open_port("127.0.0.1", None) in PORTS
    assert hanse("demo", "--host", "192.0.2.1", data=tmp_path / "new")[1]["refused"]["code"] == "serve.no_address"
    assert not list(tmp_path.iterdir())


def test_a_demo_that_was_interrupted_leaves_nothing_and_is_built_anew(hanse, tmp_path, monkeypatch):
    built = Built("net", 40, 1, 1, 1, 1, 1.0, None)

    def stopped(directory, **options):
        directory.mkdir()
        (directory / "state.db").write_text("half")
        raise KeyboardInterrupt

    def done(directory, **options):
        assert not directory.exists(), "what a kill left behind is gone"
        directory.mkdir()
        (directory / "hanse.json").write_text("{}")
        return built

    data = tmp_path / "demo-data"
    monkeypatch.setattr("hanse.cli.demo.build", stopped)
    assert main(["demo", "--no-serve", "--data", str(data)]) == 130
    assert not list(tmp_path.iterdir())
    (tmp_path / "demo-data.building" / "demo").mkdir(parents=True)
    with (tmp_path / "demo-data.building" / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert hanse("demo", "--no-serve", data=data)[1]["refused"]["code"] == "demo.being_built"
    monkeypatch.setattr("hanse.cli.demo.build", done)
    assert hanse("demo", "--no-serve", data=data)[1]["firms"] == 40
    assert [path.name for path in tmp_path.iterdir()] == ["demo-data"]
    assert hanse("demo", "--no-serve", data=tmp_path)[1]["refused"]["code"] == "demo.not_a_demo"


def test_serve_founds_serves_and_stops_in_order(tmp_path):
    port, data = free_port(), tmp_path / "node"
    words = ["serve", "--new", "--party", "north", "--name", "North", "--email", "o@example.org"]
    command = [sys.executable, "-m", "hanse.cli", *words, "--data", str(data), "--port", str(port), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = f"http://127.0.0.1:{port}/healthz"
        assert json.loads(_answer(address, process)) == {"status": "ok"}
        assert main(["key", "list", "north", "--data", str(data)]) == 2, "one process a directory"
        assert main(["verify", "--data", str(data)]) == 0, "verifying needs no stop"
    finally:
        os.kill(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["entries"] > 3 and f"http://127.0.0.1:{port}/invitation/" in err
    assert verify(data).ok


@pytest.mark.parametrize("word", sorted({words[0] for words in commands(application()) if words}))
def test_a_command_alone_is_found_as_among_all(word):
    """So that a command starts without reading the others, `ELSEWHERE` must name its file."""
    alone = application(word)
    assert alone[word].help == application()[word].help
    assert word in ELSEWHERE or word in GROUPS


def test_the_overview_names_every_command_as_the_commands_do() -> None:
    """`hanse --help` runs no command's file; what it reads is what the files would say."""
    said = dict(overview(GROUPS))
    real = {name: app for name, app in application(ALL)._commands.items() if not name.startswith("-")}
    assert sorted(said) == sorted(real)
    for name, app in real.items():
        words = " ".join((app.help or "").strip().partition("\n\n")[0].split())
        assert said[name] == words or said[name] in words, name


def test_help_and_version_import_no_numerics_and_no_web() -> None:
    code = (
        "import sys; from hanse.cli import main; main(['--help']); main(['--version']);"
        "print(sorted({'numba', 'scipy', 'polars', 'litestar', 'highspy', 'numpy'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.rstrip().endswith("[]"), told[-300:]
    assert "verify" in told and "Prove everything again" in told


def test_verify_imports_no_numerics_and_no_web() -> None:
    code = (
        "import sys; from hanse.cli import main; main(['verify', '--help']);"
        "print(sorted({'numba', 'scipy', 'polars', 'litestar', 'highspy'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.rstrip().endswith("[]"), told[-300:]
