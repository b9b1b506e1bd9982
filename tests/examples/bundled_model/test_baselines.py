from examples.bundled_model.baselines import baselines

LEARNT = [
    {"name": "open_file", "summary": "Opens a file."},
    {"name": "Zip.close_file", "summary": "Closes it."},
    {"name": "shut", "summary": "Closes it."},
]
ROW = {
    "name": "HTTPServer.close_fileNow",
    "signature": "def close_fileNow(self):",
    "document": "class HTTPServer:\n    def close_fileNow(self):\n        # at once\n",
}


def test_each_baseline():
    found = {name: summarize(ROW) for name, summarize in baselines(LEARNT).items()}
    assert found == {
        "first line of the source": "class HTTPServer:",
        "line that defines it": "def close_fileNow(self):",
        "words of the name": "close file now",
        "words of the qualified name": "http server close file now",
        "'Return the' and words of the name": "Return the close file now",
        "first comment": "at once",
        "most frequent summary": "Closes it.",
        "summary of the nearest name": "Closes it.",
    }


def test_where_there_is_nothing_to_go_by():
    row = {"name": "_", "signature": "def _():", "document": "def _():\n  pass"}
    found = {name: summarize(row) for name, summarize in baselines(LEARNT).items()}
    assert found["first comment"] == "" and found["words of the name"] == ""
    assert found["summary of the nearest name"] == "Opens a file."
