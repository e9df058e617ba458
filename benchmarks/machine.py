"""What the figures were measured on."""

import platform
from pathlib import Path

import psutil


def describe() -> str:
    """Name processor, memory and Python; nothing that tells whose machine it is."""
    memory = round(psutil.virtual_memory().total / 2**30)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{psutil.cpu_count()} cores of {processor()}, {memory} GB of memory, {platform.system()}, {python}"


def processor() -> str:
    """Return the processor's name where the system tells it, else its architecture."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
