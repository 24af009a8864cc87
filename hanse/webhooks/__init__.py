"""Webhooks: a firm's own programs are told what was signed that the firm may read.

    store      which addresses are told, and how far each has come
    events     an entry of the record as a CloudEvent, for one reader
    sending    one signed request to one address, which is never of a private network
    delivery   the thread that tells, in order for each address, beside the writer and never in its way

At least once, in the order of the record. An address that fails is tried again for three days, then paused; nothing is
skipped. See docs/webhooks.md.
"""

from hanse.webhooks.delivery import Webhooks
from hanse.webhooks.store import Subscription, WebhookStore

__all__ = ["Subscription", "WebhookStore", "Webhooks"]
