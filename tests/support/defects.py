"""What other programs find wrong: below a folder, messages (.eml) are read by Python's email, entries (.ics) and contacts
(.vcf) by the packages icalendar and vobject where they are there. One JSON object a line: the file, and what is wrong
with it."""
import email.policy
import json
import pathlib
import sys

try:
    import icalendar
except ImportError:
    icalendar = None
    print("skipped: there is no Python with icalendar", file=sys.stderr)

try:
    import vobject
except ImportError:
    vobject = None
    print("skipped: there is no Python with vobject", file=sys.stderr)


def wrong_with_message(path):
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    wrong = [type(defect).__name__ for part in message.walk() for defect in part.defects]
    for part in message.walk():
        # Values are parsed when they are asked for. An encoded word as the name of a file is there for old readers, beside
        # the form of RFC 2231.
        for (name, value), (_, raw) in zip(part.items(), part.raw_items()):
            if not (name.lower() == "content-type" and "=?" in raw):
                wrong += [f"{name}: {type(defect).__name__}" for defect in value.defects]
        if not part.is_multipart():
            part.get_payload(decode=True)
    return wrong


def wrong_with_entry(path):
    with open(path, "rb") as file:
        calendar = icalendar.Calendar.from_ical(file.read())
    return [f"{component.name}: {error}" for component in calendar.walk() for error in component.errors]


def wrong_with_contact(path):
    with open(path, encoding="utf-8", newline="") as file:
        cards = list(vobject.readComponents(file.read()))
    for card in cards:
        card.validate(raiseException=True)
    return [] if len(cards) == 1 else [f"{len(cards)} cards"]


for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    wrong = []
    if path.suffix == ".eml":
        wrong = wrong_with_message(path)
    elif path.suffix == ".ics" and icalendar:
        wrong = wrong_with_entry(path)
    elif path.suffix == ".vcf" and vobject:
        wrong = wrong_with_contact(path)
    print(json.dumps([path.name, sorted(set(wrong))]))
