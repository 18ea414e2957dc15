"""Prints one JSON object a line for each iCalendar file named: the occurrences of its events as [start, end], in UTC, days
as dates; the due dates of its tasks; and what the package icalendar finds wrong. The dates are expanded by dateutil, zones
are those that the file defines. Ends with 3 where the packages are missing."""
import datetime
import io
import json
import re
import sys

try:
    import icalendar
    from dateutil import rrule, tz
except ImportError:
    sys.exit(3)


def told(value):
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat()


def properties(text, component):
    """The properties of each component of a name, without those of the components in it: name, parameters, value."""
    found = []
    for body in re.findall(rf"^BEGIN:{component}$(.*?)^END:{component}$", text, re.M | re.S):
        body = re.sub(r"^BEGIN:VALARM$.*?^END:VALARM$", "", body, flags=re.M | re.S)
        lines = [re.match(r'([^:;]+)((?:;[^:;"]+(?:"[^"]*"[^:;"]*)*)*):(.*)', line) for line in body.split("\n") if line]
        found.append([line.groups() for line in lines])
    return found


class Reader:
    def __init__(self, text):
        self.text = text
        self.zones = tz.tzical(io.StringIO(text)) if "BEGIN:VTIMEZONE" in text else None

    def times(self, parts, name):
        return [self.time(params, value) for found, params, values in parts if found == name for value in values.split(",")]

    def time(self, params, value):
        if "VALUE=DATE" in params:
            return datetime.datetime.strptime(value, "%Y%m%d").date()
        zone = re.search(r"TZID=([^;]+)", params)
        time = datetime.datetime.strptime(value.rstrip("Z"), "%Y%m%dT%H%M%S")
        if value.endswith("Z"):
            return time.replace(tzinfo=tz.UTC)
        if not zone:
            raise ValueError(f"a time without a zone: {value}")
        return time.replace(tzinfo=self.zones.get(zone.group(1)))

    def expand(self, parts):
        """The starts of an event, without regard to its exceptions."""
        (start,) = self.times(parts, "DTSTART")
        starts = {start} | set(self.times(parts, "RDATE"))
        for name, _, value in parts:
            if name == "RRULE":
                # dateutil knows no days, only midnights.
                day = not isinstance(start, datetime.datetime)
                first = datetime.datetime.combine(start, datetime.time()) if day else start
                times = rrule.rrulestr(value, dtstart=first)
                starts |= {time.date() if day else time for time in times}
        return starts - set(self.times(parts, "EXDATE"))

    def dates(self):
        seen = {}
        for parts in properties(self.text, "VEVENT"):
            (start,) = self.times(parts, "DTSTART")
            (end,) = self.times(parts, "DTEND") or [start]
            # Across a change of the clock an occurrence is as long as the first one, counted in UTC.
            exact = isinstance(start, datetime.datetime)
            length = end.astimezone(tz.UTC) - start.astimezone(tz.UTC) if exact else end - start
            later = lambda time: time.astimezone(tz.UTC) + length if exact else time + length
            identity = self.times(parts, "RECURRENCE-ID")
            if identity:
                seen[told(identity[0])] = [told(start), told(end)]
            else:
                seen.update({told(time): [told(time), told(later(time))] for time in self.expand(parts)})
        return sorted(seen.values())


for path in sys.argv[1:]:
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    calendar = icalendar.Calendar.from_ical(text)
    errors = [f"{part.name}: {error}" for part in calendar.walk() for error in part.errors]
    unfolded = text.replace("\r\n ", "").replace("\r\n", "\n")
    reader = Reader(unfolded)
    due = [told(time) for parts in properties(unfolded, "VTODO") for time in reader.times(parts, "DUE")]
    print(json.dumps({"dates": reader.dates(), "due": due, "errors": errors}))
