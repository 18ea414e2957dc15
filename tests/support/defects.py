"""What other programs find wrong: below a folder, messages (.eml) are read by Python's email, entries (.ics) by the package
icalendar where it is there. One JSON object a line: the file, and what is wrong with it."""
import email.policy
import json
import pathlib
import sys

try:
    import icalendar
except ImportError:
    icalendar = None


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


for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    wrong = []
    if path.suffix == ".eml":
        wrong = wrong_with_message(path)
    elif icalendar:
        wrong = wrong_with_entry(path)
    print(json.dumps([path.name, sorted(set(wrong))]))
