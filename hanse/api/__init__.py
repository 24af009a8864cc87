"""The HTTP API: JSON for programs, under `/api/v1`, with a token of a party.

    GET  /api/v1/kinds                       what can be signed, with its JSON schema
    POST /api/v1/facts/{kind}                the node signs the body for the token's party (hosted keys)
    POST /api/v1/signed                      a fact signed elsewhere, as SD-JWT
    POST /api/v1/facts                       NDJSON of {"kind": ..., "body": ...}: all or nothing
    GET  /api/v1/{room}/...                  what the rooms' queries answer, each with cursor and limit
    GET  /api/v1/entries/{n}, /proof         an entry, its proof
    GET  /tile/..., /checkpoint              the record as C2SP tlog-tiles, public

Every write takes `Idempotency-Key`: the same key again gives the first answer. Every refusal has one shape.
"""

from __future__ import annotations

from hanse.api.app import routes

__all__ = ["routes"]
