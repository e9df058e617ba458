"""Valkey 9: cache and broker on one Unix socket, nothing on disk."""

import pwd
import signal
from pathlib import Path

from config.embedded.account import make_private_folder
from config.embedded.programs import Programs
from config.embedded.service import Service

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    # One pair of databases per test worker.
    "databases": "64",
    # The rows are the truth and the cache can be rebuilt: nothing here is worth a disk.
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    # Only keys with a lifetime may be evicted: a queued task has none.
    "maxmemory-policy": "volatile-lru",
}


class Valkey(Service):
    name = "valkey"
    title = "Valkey"
    stop_signal = signal.SIGTERM

    @property
    def socket_path(self) -> Path:
        return self.layout.valkey_socket

    def prepare(self, *, account: pwd.struct_passwd, programs: Programs) -> None:
        make_private_folder(self.data, account=account)

    def command(self, *, programs: Programs) -> list[str]:
        settings = {"unixsocket": str(self.socket_path), "dir": str(self.data), **SETTINGS}
        return [str(programs.valkey), *(word for name, value in settings.items() for word in (f"--{name}", value))]
