"""Lets mutt show every message of a Maildir: mutt.py MAILDIR OUTPUT. Ends with status 3 where there is no mutt.

mutt wants a terminal, so it gets one that nobody sees.
"""

import os
import pty
import select
import shutil
import sys
import time

if not shutil.which("mutt"):
    sys.exit(3)
maildir, output = sys.argv[1:]
# A folder that is not there would make it ask.
settings = f"set folder={os.path.dirname(output)}"
settings += " mbox_type=Maildir pipe_decode=yes pipe_split=no wait_key=no header_cache='' quit=yes"
show = f"<tag-pattern>~A<enter><tag-prefix><pipe-message>cat > {output}<enter><exit>"
command = ["mutt", "-n", "-R", "-F", "/dev/null", "-f", maildir, "-e", settings, "-e", f'push "{show}"']
process, terminal = pty.fork()
if process == 0:
    os.environ.update(TERM="xterm", LC_ALL="C.UTF-8", HOME=os.path.dirname(output))
    os.execvp(command[0], command)
until = time.monotonic() + 60
while time.monotonic() < until:
    if not select.select([terminal], [], [], 1)[0]:
        continue
    try:
        if not os.read(terminal, 65536):
            break
    except OSError:
        break
else:
    os.kill(process, 9)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
