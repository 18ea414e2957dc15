"""Prints one JSON object a line for each iCalendar file named: the occurrences of its events between 1990 and 2040 as
[start, end], in UTC, days as dates; and the due dates of its tasks. Ends with 3 where the libraries are missing."""
import datetime
import json
import sys

try:
    import icalendar
    import recurring_ical_events
except ImportError:
    sys.exit(3)


def told(value):
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat()


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        calendar = icalendar.Calendar.from_ical(file.read())
    errors = [f"{part.name}: {error}" for part in calendar.walk() for error in part.errors]
    found = recurring_ical_events.of(calendar).between((1990, 1, 1), (2040, 1, 1))
    dates = sorted([told(event["DTSTART"].dt), told(event.get("DTEND", event["DTSTART"]).dt)] for event in found)
    due = [told(task["DUE"].dt) for task in calendar.walk("VTODO") if "DUE" in task]
    print(json.dumps({"dates": dates, "due": due, "errors": errors}))
