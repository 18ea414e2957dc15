"""What lies in a mailbox, read with Python's own libraries: one line of JSON for each message, with its folder, the
SHA-256 and length of its bytes, its date in seconds since 1970 and its flags, keywords left out.

placements.py maildir FOLDER
placements.py imap PORT USER PASSWORD
"""
import datetime
import hashlib
import imaplib
import json
import os
import re
import sys

LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen"}


def tell(folder, message, date, flags):
    digest = hashlib.sha256(message).hexdigest()
    print(json.dumps([folder, digest, len(message), date, sorted(flags)]))


def maildir(root):
    folders = {"INBOX": root}
    for name in os.listdir(root):
        if name.startswith("."):
            folders[name[1:].replace(".", "/")] = os.path.join(root, name)
    for folder, path in folders.items():
        for part in ["cur", "new"]:
            for name in os.listdir(os.path.join(path, part)):
                letters = name.split(":2,")[1] if ":2," in name else ""
                with open(os.path.join(path, part, name), "rb") as file:
                    tell(folder, file.read(), int(name.split(".")[0]), [LETTERS[letter] for letter in letters])
        assert not os.listdir(os.path.join(path, "tmp")), "a message was not finished"


def imap(port, user, password):
    # The default limit is for lines.
    imaplib._MAXLINE = 1 << 30
    session = imaplib.IMAP4("127.0.0.1", int(port))
    session.login(user, password)
    for line in session.list()[1]:
        attributes, name = re.fullmatch(rb'\((.*?)\) "." "?(.*?)"?', line).groups()
        if b"\\noselect" in attributes.lower():
            continue
        folder = name.decode().replace('\\"', '"').replace("\\\\", "\\")
        status, (count,) = session.select('"' + name.decode() + '"', readonly=True)
        assert status == "OK", count
        for number in range(1, int(count) + 1):
            status, answer = session.fetch(str(number), "(FLAGS INTERNALDATE BODY.PEEK[])")
            assert status == "OK" and isinstance(answer[0], tuple), answer
            said = answer[0][0] + (answer[1] if isinstance(answer[1], bytes) else b"")
            shown = re.search(rb'INTERNALDATE "([^"]*)"', said).group(1).decode().strip()
            date = datetime.datetime.strptime(shown, "%d-%b-%Y %H:%M:%S %z")
            flags = [flag.decode() for flag in imaplib.ParseFlags(said)]
            flags = [flag for flag in flags if flag.startswith("\\") and flag != "\\Recent"]
            tell(folder, answer[0][1], int(date.timestamp()), flags)
    session.logout()


{"maildir": maildir, "imap": imap}[sys.argv[1]](*sys.argv[2:])
