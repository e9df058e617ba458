#!/usr/bin/env python
"""Run Django's command line on Aviary, with the embedded services at hand."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from environs import EnvError

from config import embedded


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.dev")
    try:
        embedded.ensure_for_command(sys.argv)
        execute_from_command_line(sys.argv)
    except (embedded.EmbeddedError, ImproperlyConfigured, EnvError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
