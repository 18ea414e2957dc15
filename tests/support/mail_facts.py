"""What Python's email package finds in messages: one line of JSON for each file named."""
import email.policy
import hashlib
import json
import sys

for path in sys.argv[1:]:
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    leaves = [part for part in message.walk() if not part.is_multipart()]
    print(json.dumps({
        "defects": [str(defect) for part in message.walk() for defect in part.defects],
        "subject": message["subject"],
        "parts": [hashlib.sha256(part.get_payload(decode=True)).hexdigest() for part in leaves],
    }))
