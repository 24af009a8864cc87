"""What the API answers of orders: path below `/api/v1/` -> the query that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hanse.rooms.orders import (
    documents,
    lending,
    message_queries,
    purchases,
    queries,
    quote_queries,
    waiting,
    worklists,
)

READS: dict[str, Callable[..., Any]] = {
    "orders": queries.orders,
    "orders/open-lines": worklists.open_lines,
    "orders/late-lines": worklists.late_lines,
    "orders/to-ship": worklists.to_ship,
    "orders/to-receive": waiting.to_receive,
    "orders/changes": waiting.changes_to_answer,
    "orders/returns": waiting.returns_to_answer,
    "orders/figures": worklists.figures,
    "orders/messages-about/{item}": message_queries.messages_about,
    "orders/lent": lending.lent_out,
    "orders/requests": purchases.requests,
    "orders/quotes": quote_queries.quotes,
    "orders/quotes-to-answer": quote_queries.quotes_to_answer,
    "orders/quotes-to-order": quote_queries.quotes_to_order,
    "orders/quotes/{quote}": quote_queries.the_quote,
    "orders/order/{order_id}": queries.order_page,
    "orders/documents/{document}": worklists.document_page,
    "orders/confirmations/{order_id}": documents.order_confirmation,
    "orders/packing-slips/{shipment}": documents.packing_slip,
    "orders/delivery-notes/{shipment}": documents.delivery_note,
    "orders/approvals/{subject}": worklists.approvals,
}
