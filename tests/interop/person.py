"""A person at a browser without JavaScript: follows redirects, keeps cookies, fills in forms."""

from html.parser import HTMLParser

import httpx


class Person:
    """One browser profile. `page` is what it shows."""

    def __init__(self):
        self.browser = httpx.Client(follow_redirects=True, timeout=20)
        self.page = None

    def open(self, address):
        self.page = self.browser.get(address)
        return self.page

    def submit(self, form_id, button=None, **fields):
        """Sends the form with this id, pressed at `button` (an id), with `fields` filled in."""
        form = self.form(form_id)
        values = form.values(button) | fields
        target = self.page.url.join(form.action or str(self.page.url))
        self.page = self.browser.request(form.method, target, data=values, headers=self._origin())
        return self.page

    def sign_in(self, username, password):
        return self.submit("kc-form-login", "kc-login", username=username, password=password)

    def shows(self, element_id):
        return element_id in Page(self.page.text).ids

    def form(self, form_id):
        forms = [form for form in Page(self.page.text).forms if form_id in form.ids]
        assert len(forms) == 1, f"{len(forms)} forms with #{form_id} at {self.page.url}:\n{self.page.text}"
        return forms[0]

    def _origin(self):
        url = self.page.url
        return {"origin": f"{url.scheme}://{url.netloc.decode()}", "referer": str(url)}


class Form:
    def __init__(self, attributes):
        self.action = attributes.get("action")
        self.method = (attributes.get("method") or "get").upper()
        self.ids = {attributes.get("id")}
        self.inputs = []

    def values(self, button):
        """What the form already holds; of its buttons only the pressed one."""
        return {
            field["name"]: field.get("value") or ""
            for field in self.inputs
            if field.get("name")
            and (field["type"] not in ("submit", "checkbox") or (button and field.get("id") == button))
        }


class Page(HTMLParser):
    """The forms and the ids of a page."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.ids = [], set()
        self._form = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get("id"))
        if tag == "form":
            self._form = Form(attributes)
            self.forms.append(self._form)
        elif self._form and tag in ("input", "button"):
            kind = attributes.get("type") or ("submit" if tag == "button" else "text")
            self._form.inputs.append(attributes | {"type": kind})
            self._form.ids.add(attributes.get("id"))

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
