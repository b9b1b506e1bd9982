"""A small Hub of our own."""

import http.server
import json
import threading
import time

import huggingface_hub
import pytest
from huggingface_hub import constants

COMMIT, OLDER = "c0ffee" + "0" * 34, "decade" + "0" * 34
TOKEN = "hf_" + "a" * 34
OWNER = {
    "name": "me",
    "auth": {"accessToken": {"role": "write", "displayName": "mine"}},
}


class Hub(http.server.BaseHTTPRequestHandler):
    """What huggingface_hub needs of huggingface.co to list, fetch and upload files."""

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def do_POST(self):
        """Answers what a push asks for; what it has committed is in `server.pushed`."""
        self.server.log.append(f"{self.command} {self.path}")
        text = self.rfile.read(int(self.headers.get("content-length", 0)))
        if not self.is_owner():
            return self.send(401, b'{"error": "Invalid username or password."}', {})
        lines = [json.loads(line) for line in text.splitlines()]
        if self.path == "/api/repos/create":
            found = {"url": f"{constants.ENDPOINT}/me/{lines[0]['name']}"}
        elif "/preupload/" in self.path:
            plain = {"uploadMode": "regular", "shouldIgnore": False}
            found = {"files": [{**file, **plain} for file in lines[0]["files"]]}
        elif self.path == "/api/validate-yaml":
            found = {"errors": [], "warnings": []}
        else:
            files = [line["value"] for line in lines if line["key"] == "file"]
            self.server.pushed = {file["path"]: file["content"] for file in files}
            url = f"{constants.ENDPOINT}/me/led/commit/{COMMIT}"
            found = {"commitUrl": url, "commitOid": COMMIT}
        return self.send(200, json.dumps(found).encode(), {})

    def answer(self, with_body):
        self.server.log.append(f"{self.command} {self.path}")
        repo, _, rest = self.path[1:].partition("/resolve/")
        if "/tree/" in self.path:
            return self.list_files()
        if self.path.startswith("/api/models/"):
            return self.send(
                200, json.dumps({"id": self.path[len("/api/models/") :]}).encode(), {}
            )
        if self.path == "/api/whoami-v2":
            return self.send(200, json.dumps(OWNER).encode(), {})
        if self.server.failing:
            return self.send(503, b"", {})
        if repo == "me/gated" and not self.is_owner():
            return self.send(403, b"", {"X-Error-Code": "GatedRepo"})
        if not self.is_known(repo):
            return self.send(404, b"", {"X-Error-Code": "RepoNotFound"})
        revision, _, name = rest.partition("/")
        commit = {"main": COMMIT, "v1": OLDER}.get(revision, revision)
        if commit not in self.server.commits:
            return self.send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        file = self.server.commits[commit] / name
        extra = {"X-Repo-Commit": commit}
        if not file.is_file():
            extra["X-Error-Code"] = "EntryNotFound"
            return self.send(404, b"", extra)
        extra["ETag"] = f'"{commit[:6]}-{name.replace("/", "-")}"'
        return self.send(200, file.read_bytes(), extra, with_body)

    def is_owner(self):
        return self.headers.get("authorization") == f"Bearer {TOKEN}"

    def is_known(self, repo):
        return repo == "me/led" or (self.is_owner() and repo.startswith("me/"))

    def list_files(self):
        top = self.server.commits[COMMIT]
        names = [str(f.relative_to(top)) for f in top.rglob("*") if f.is_file()]
        entry = {"type": "file", "size": 1, "oid": "0" * 40}
        listed = [{**entry, "path": name} for name in names]
        return self.send(200, json.dumps(listed).encode(), {})

    def send(self, code, body, headers, with_body=True):
        self.send_response(code)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def point_at(port, monkeypatch):
    """Does what HF_ENDPOINT does to a new process."""
    address = f"http://127.0.0.1:{port}"
    url = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)


@pytest.fixture
def hub(server, tmp_path, monkeypatch):
    """A Hub with one model; its files lie in `hub.commits`."""
    server.log, server.failing, server.pushed = [], False, {}
    server.commits = {COMMIT: tmp_path / "new", OLDER: tmp_path / "old"}
    for folder in server.commits.values():
        folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    point_at(server.server_address[1], monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(
        time, "sleep", lambda _: None
    )  # between huggingface_hub's tries
    huggingface_hub.close_session()  # sessions remember whether they are offline
    yield server
    huggingface_hub.close_session()
