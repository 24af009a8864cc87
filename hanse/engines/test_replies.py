"""Replies: each waiter gets its own answer, whatever it is and whenever it asks."""

import threading

import pytest

from hanse.engines.replies import Reply, give


def test_who_asks_before_and_who_asks_after_get_the_same():
    replies, got = [Reply() for _ in range(200)], {}
    waiting = [threading.Thread(target=lambda n=n: got.__setitem__(n, replies[n % 200].result(60))) for n in range(400)]
    for thread in waiting[:300]:
        thread.start()
    give(replies, list(range(200)))
    for thread in waiting[300:]:
        thread.start()
    for thread in waiting:
        thread.join()
    assert got == {n: n % 200 for n in range(400)} and all(reply.done() for reply in replies)


def test_an_exception_is_raised_to_each_who_asks():
    one, other = Reply(), Reply()
    give([one, other], [ValueError("no"), None])
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            one.result(60)
    assert other.result() is None


def test_who_does_not_wait_for_long_is_told_so_and_may_ask_again():
    reply = Reply()
    assert not reply.done()
    with pytest.raises(TimeoutError):
        reply.result(0)
    give([reply], ["late"])
    assert reply.result(0) == "late"


def test_the_first_answer_stays():
    first, second = Reply(), Reply()
    give([first], ["yes"])
    give([first, second], [ValueError("a fault afterwards"), "also"])
    assert (first.result(0), second.result(0)) == ("yes", "also")


def test_answers_are_as_many_as_facts():
    reply = Reply()
    with pytest.raises(ValueError, match="2 answers to 1 facts"):
        give([reply], [1, 2])
    assert not reply.done()


def test_who_asked_to_be_told_is_told_once_and_what_fails_there_stops_nobody(caplog):
    replies, told = [Reply(), Reply()], []
    replies[0].add_done_callback(lambda reply: 1 // 0)
    replies[0].add_done_callback(lambda reply: told.append(reply.result()))
    give(replies, ["a", "b"])
    replies[1].add_done_callback(lambda reply: told.append(reply.result()))
    assert told == ["a", "b"] and "ZeroDivisionError" in caplog.text
