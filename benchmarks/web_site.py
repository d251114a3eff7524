"""An invented web site that keeps a log of what it was truly asked: the truth against which browser labels are measured.

It has what makes labels go wrong: links that change something, boxes that save themselves, a form that refuses, pages
with another name in their heading than in their title, broken links, a log-in wall.
"""

from __future__ import annotations

import html
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

SITE = "Harbour Tools"
GOODS = (
    "Oak Mallet",
    "Brass Plane",
    "Sail Needle",
    "Tar Brush",
    "Deck Scraper",
    "Rigging Knife",
    "Caulking Iron",
    "Rope Jack",
)
CITIES = ("Skarvik", "Sundholm", "Torvik")


@dataclass
class Asked:
    """One request that the site answered."""

    step: int
    method: str
    path: str
    query: dict[str, str]
    posted: dict[str, str]
    heading: str
    """The heading of the page that was sent; empty for a redirect."""
    changes: bool
    """Whether the request changed something on the site."""
    accepted: bool = False
    """Whether a form was taken."""


@dataclass
class Site:
    """The site with its log. `step` is set by whoever drives the browser."""

    step: int = 0
    log: list[Asked] = field(default_factory=list[Asked])
    port: int = 0

    def __enter__(self) -> Site:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(site, self, "GET", {})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                answer(site, self, "POST", dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True)))

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def answer(site: Site, request: BaseHTTPRequestHandler, method: str, posted: dict[str, str]) -> None:
    """Answer one request and write it into the log."""
    parts = urlsplit(request.path)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.path == "/favicon.ico":
        send(request, 404, "")
        return
    status, title, heading, body, where, changes, accepted = respond(method, parts.path, query, posted)
    site.log.append(Asked(site.step, method, parts.path, query, posted, heading, changes, accepted))
    if where:
        request.send_response(303)
        request.send_header("Location", where)
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    send(request, status, shell(title, heading, body))


def send(request: BaseHTTPRequestHandler, status: int, text: str) -> None:
    """Send a page."""
    data = text.encode()
    request.send_response(status)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)


def shell(title: str, heading: str, body: str) -> str:
    """Return a whole page."""
    links = (
        ("/", "Home"),
        ("/goods", "All Goods"),
        ("/customers", "Customers"),
        ("/contact", "Contact Us"),
        ("/settings", "Preferences"),
    )
    nav = "".join(f'<li><a href="{path}">{name}</a></li>' for path, name in links)
    find = '<form action="/search"><input type="search" name="q" aria-label="Search goods"><button>Find</button></form>'
    return f"<title>{title}</title><nav><ul>{nav}</ul>{find}</nav><main><h1>{heading}</h1>{body}</main>"


Answer = tuple[int, str, str, str, str, bool, bool]


def plain(heading: str, body: str, *, title: str = "", status: int = 200) -> Answer:
    """Return the answer that shows a page."""
    return status, f"{title or heading} | {SITE}", heading, body, "", False, False


def respond(method: str, path: str, query: dict[str, str], posted: dict[str, str]) -> Answer:
    """Return status, title, heading, body, redirect, whether something changed, whether a form was taken."""
    if method == "POST":
        return take(path, posted)
    last = path.rsplit("/", 1)[-1]
    good = next((one for one in GOODS if slug(one) == last), None)
    match path:
        case "/":
            return plain("Welcome Aboard", "<p>Tools for boats.</p><a href='/offers'>Offers of the Week</a>")
        case "/goods":
            return plain("All Goods", "".join(f'<p><a href="/goods/{slug(one)}">{one}</a></p>' for one in GOODS))
        case "/search":
            words = query.get("q", "").casefold().split()
            found = [one for one in GOODS if any(word in one.casefold() for word in words)]
            return plain(
                "Search Results",
                "".join(f'<p><a href="/goods/{slug(one)}">{one}</a></p>' for one in found) or "Nothing.",
            )
        case "/customers":
            return plain(
                "Customers", '<a href="/customers/new">New Customer</a> <a href="/customers/archive">Archive</a>'
            )
        case "/customers/new":
            return plain("New Customer", customer_form())
        case "/customers/archive":
            return plain("Sign In", "<p>Members only.</p>")
        case "/contact":
            return plain("Contact Us", contact_form())
        case "/contact/thanks":
            return plain("Contact Us", "<p>Thank you for your message.</p>")
        case "/settings":
            return plain("Preferences", preferences())
        case "/offers":
            return plain(
                "Only Until Sunday", f'<a href="/goods/{slug(GOODS[0])}">{GOODS[0]}</a>', title="Offers of the Week"
            )
        case _ if path.startswith("/customers/saved/"):
            return plain("Customers", f'<div role="status">The customer {html.escape(last)} has been saved.</div>')
        case _ if good is not None and path.endswith(f"/watch/{last}"):
            return 200, f"{good} | {SITE}", good, "<p>It is now on your list.</p>", "", True, False
        case _ if good is not None:
            return plain(good, good_page(good))
        case _:
            return plain("Not Found", "<p>There is no such page.</p>", status=404)


def take(path: str, posted: dict[str, str]) -> Answer:
    """Take what a form or a script posted."""
    if path == "/customers/new" and "@" not in posted.get("mail", ""):
        return (
            200,
            f"New Customer | {SITE}",
            "New Customer",
            "<div role='alert'>E-mail is not valid.</div>" + customer_form(),
            "",
            False,
            False,
        )
    if path == "/customers/new":
        return 303, "", "", "", f"/customers/saved/{slug(posted.get('name', '') or 'x')}", True, True
    if path == "/contact":
        return 303, "", "", "", "/contact/thanks", True, True
    return 303, "", "", "", "/goods", True, False


def slug(name: str) -> str:
    """Return a name as it stands in a path."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())


def customer_form() -> str:
    """Return the form for a customer: one field required, one box that belongs to no text."""
    options = "".join(f"<option>{city}</option>" for city in CITIES)
    return (
        '<form method="post" action="/customers/new"><label>Full Name * <input name="name"></label>'
        '<label>E-mail <input name="mail"></label>'
        f'<label>City <select name="city"><option></option>{options}</select></label>'
        '<label>Language <input name="language" value="Norse"></label>'
        '<label><input type="checkbox" name="news">Newsletter</label><button>Save Customer</button></form>'
    )


def contact_form() -> str:
    """Return the form for a message."""
    return (
        '<form method="post"><label>Subject <input name="subject"></label>'
        '<label>Message <textarea name="text"></textarea></label>'
        "<button>Send Message</button></form>"
    )


def preferences() -> str:
    """Return boxes that save themselves when they are clicked."""
    save = "fetch('/settings', {method: 'POST', body: 'x=1'})"
    return f'<label><input type="checkbox" onchange="{save}">Dark mode</label><button onclick="{save}">Louder</button>'


def good_page(name: str) -> str:
    """Return a product with a link that changes something although it is a link."""
    return (
        f'<p>A fine {name.casefold()}.</p><a href="/goods/watch/{slug(name)}">Watch this</a>'
        '<form method="post" action="/basket"><button>Add to Basket</button></form>'
    )
