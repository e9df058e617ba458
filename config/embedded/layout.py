"""Where the services keep data, sockets, locks and logs: computed from paths and modes, nothing is created."""

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent.parent
# sockaddr_un.sun_path is 108 bytes on Linux and 104 on macOS, a final NUL included.
SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107
LONGEST_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Layout:
    state: Path
    sockets: Path

    @property
    def locks(self) -> Path:
        return self.state / "locks"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"


def current() -> Layout:
    """Return the folders of this clone's services, or of the instance that AVIARY_STATE names."""
    wanted = Path(os.environ.get("AVIARY_STATE") or CLONE / ".aviary").absolute()
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    if os.geteuid() == 0:
        # Root's services run as another user, who must be able to walk to them.
        usable = others_can_enter(wanted) and _fits(wanted / "run")
        state = wanted if usable else Path("/var/lib/aviary") / digest
        return Layout(state=state, sockets=state / "run")
    state = wanted if os.access(_nearest_existing(wanted), os.W_OK | os.X_OK) else _user_state_folder() / digest
    sockets = state / "run"
    return Layout(state=state, sockets=sockets if _fits(sockets) else Path(f"/tmp/aviary-{os.geteuid()}-{digest}"))


def others_can_enter(path: Path) -> bool:
    """Tell whether a user who owns none of it can walk to `path`, as far as it exists."""
    nearest = _nearest_existing(path)
    return all(folder.stat().st_mode & 0o001 for folder in (nearest, *nearest.parents))


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _user_state_folder() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "aviary"


def _fits(sockets: Path) -> bool:
    return len(os.fsencode(sockets / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES
