"""Whether this process was told to end. What waits for long asks, or else the end waits for it."""

import signal
import socket
import threading

SIGNALS = {signal.SIGTERM, signal.SIGINT}

_ends: list[socket.socket] = []
_ending = threading.Event()


def listen_for_the_end() -> None:
    """Notice the signals that end this process, whoever handles them.

    Python writes their numbers where one says; a server that has said so before keeps its place, and streams then
    last as long as they do.
    """
    if _ends or threading.current_thread() is not threading.main_thread():
        return
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.setblocking(False)
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    if before == -1:
        _ends.extend((reader, writer))
        return
    signal.set_wakeup_fd(before)
    reader.close()
    writer.close()


def is_ending() -> bool:
    """Whether a signal that ends this process has come."""
    if _ends and not _ending.is_set():
        try:
            numbers = _ends[0].recv(64)
        except BlockingIOError:
            return False
        if SIGNALS.intersection(numbers):
            _ending.set()
    return _ending.is_set()
