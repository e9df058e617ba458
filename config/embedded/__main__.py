import sys

from config.embedded.supervisor import supervise

sys.exit(supervise(sys.argv[1]))
