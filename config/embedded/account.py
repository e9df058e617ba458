"""Who runs the services, and the folders that only this account may enter."""

import os
import pwd
import shutil
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

from config.embedded.errors import OWN_SERVICES, EmbeddedError
from config.embedded.layout import Layout

SYSTEM_USER = "aviary"


def service_account(layout: Layout) -> pwd.struct_passwd:
    """Return the account that runs the services: oneself, or a system user since PostgreSQL refuses root."""
    try:
        if os.geteuid() != 0:
            return pwd.getpwuid(os.geteuid())
        owner = _owner(layout.state / "postgres")
        return pwd.getpwuid(owner) if owner else _system_user()
    except KeyError as error:
        raise EmbeddedError(f"PostgreSQL only runs as a user with a name ({error}); {OWN_SERVICES}.") from None


def make_open_folder(path: Path) -> None:
    """Make `path` and its missing parents such that the service account can walk through them."""
    for folder in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)


def make_private_folder(path: Path, *, account: pwd.struct_passwd) -> None:
    """Make `path` enterable by the account alone; a half-made one from an interrupted start is put right."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (account.pw_uid, os.geteuid()):
        raise EmbeddedError(f"{path} is not a folder of {account.pw_name}: remove it and start again.")
    if found.st_uid != account.pw_uid:
        os.chown(path, account.pw_uid, account.pw_gid)
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)


def run_as(account: pwd.struct_passwd) -> dict[str, Any]:
    """Return what subprocess needs to run a program as `account`."""
    if os.geteuid() != 0:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _owner(path: Path) -> int:
    return path.stat().st_uid if path.exists() else 0


def _system_user() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    # Two first starts may race for the lock on /etc/passwd: look again before giving up.
    for _ in range(20 if useradd else 0):
        try:
            return pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            command = [str(useradd), "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                time.sleep(0.1)
    return pwd.getpwnam("nobody")
