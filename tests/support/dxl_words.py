"""Prints the words that people read in the rich text of each document of a DXL file, as a JSON list of lists. Programs,
formulas and what is drawn are left out."""

import json
import sys
import xml.etree.ElementTree as ElementTree

PROGRAMS = {"code", "formula", "javascript", "compositedata", "notesbitmap", "gif", "jpeg", "computedtext", "field"}


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def texts(element, shown):
    name = local(element)
    if name in PROGRAMS:
        return
    here = shown or name in ("run", "text", "button")
    if here and element.text:
        yield element.text
    for child in element:
        yield from texts(child, here)
        if here and child.tail:
            yield child.tail


def is_document(element):
    return local(element) == "document" or local(element) == "note" and element.get("class") == "document"


def words(document):
    found = []
    for item in document:
        if local(item) == "item" and not item.get("name", "").startswith("$"):
            for rich in (child for child in item if local(child) == "richtext"):
                for text in texts(rich, False):
                    found.extend(text.split())
    return found


root = ElementTree.parse(sys.argv[1]).getroot()
documents = [element for element in root.iter() if is_document(element)]
json.dump([words(document) for document in documents], sys.stdout)
