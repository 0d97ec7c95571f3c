from __future__ import annotations

import os
import threading

from bench.measure import wire
from bench.records import Turn, TurnRequest


def test_messages_arrive_whole_and_in_order() -> None:
    read_fd, write_fd = os.pipe()
    sent = [TurnRequest(round=i, calls=3) for i in range(3)]
    for message in sent:
        wire.send(write_fd, message)
    os.close(write_fd)
    received = []
    while (payload := wire.receive(read_fd)) is not None:
        received.append(wire.request_decoder.decode(payload))
    os.close(read_fd)
    assert received == sent


def test_a_message_larger_than_a_pipe_arrives_whole() -> None:
    read_fd, write_fd = os.pipe()
    turn = Turn(
        round=0,
        kind="tail",
        input_index=0,
        switch_ns=1,
        latencies_ns=list(range(10**6, 10**6 + 100_000)),
        cpu_ns=0,
        wall_ns=0,
        involuntary_switches=0,
        thread_count=1,
    )
    sender = threading.Thread(target=wire.send, args=(write_fd, turn))
    sender.start()
    payload = wire.receive(read_fd)
    sender.join()
    assert payload is not None
    assert wire.reply_decoder.decode(payload) == turn


def test_a_message_cut_short_is_the_end() -> None:
    read_fd, write_fd = os.pipe()
    os.write(write_fd, b"\x00\x00\x00\x10abc")
    os.close(write_fd)
    assert wire.receive(read_fd) is None
