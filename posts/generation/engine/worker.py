import os
import threading

from posts.generation.engine.dispatcher import Dispatcher

_running: dict[int, Dispatcher] = {}
_lock = threading.Lock()


def dispatcher() -> Dispatcher:
    """Return this process's dispatcher, starting its thread when it has none yet, also after a fork."""
    with _lock:
        found = _running.get(os.getpid())
        if found is None:
            found = _running[os.getpid()] = Dispatcher()
            threading.Thread(target=found.run_forever, name="dispatcher", daemon=True).start()
        return found
