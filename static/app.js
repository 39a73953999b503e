// Hides pages that return from the browser's memory, moves countdowns, warns
// before the session ends, keeps the token card current, sends a form once,
// shows a password, copies a value, fills the sign-in form with a sample user,
// and moves the focus to the result on a page. Each page is complete without it.
// Its words come from the page's data attributes.

const root = document.documentElement;
root.classList.add("js");

// A browser may keep a page in memory and show it again at Back, without asking
// the server (the back-forward cache). The page may be one of a session that has
// ended since, so it is put away hidden, and asks again when it comes back.
addEventListener("pagehide", (event) => {
  root.hidden = event.persisted;
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  root.hidden = true;
  location.reload();
});

// format puts numbers into a text in place of its %d.
function format(text, ...numbers) {
  return text.replace(/%d/g, () => numbers.shift());
}

// left formats milliseconds, rounded up, by the rules of the server (format.go).
function left(ms) {
  const { seconds, minutes, hours, hoursMinutes, days } = document.body.dataset;
  if (ms < 90_000) return format(seconds, Math.ceil(Math.max(ms, 0) / 1000));
  const min = Math.ceil(ms / 60_000);
  if (min < 90) return format(minutes, min);
  if (min < 48 * 60) return format(min % 60 ? hoursMinutes : hours, Math.floor(min / 60), min % 60);
  return format(days, Math.ceil(min / 1440));
}

const looks = { fresh: "good", late: "warn", expired: "bad", idle: "idle" };

// Countdown moves one element that has data-expires. It counts by the server's
// clock: the difference to the browser's clock when the page came is subtracted.
class Countdown {
  constructor(element) {
    const { now, issued, expires } = element.dataset;
    this.element = element;
    this.expires = Number(expires) + Date.now() - Number(now);
    this.life = Number(expires) - Number(issued || now);
    this.text = element.querySelector("[data-left]");
    this.bar = element.querySelector("progress");
  }

  get left() {
    return Math.max(this.expires - Date.now(), 0);
  }

  move() {
    if (this.left === 0 && this.element.dataset.over) {
      this.element.textContent = this.element.dataset.over;
      return;
    }
    const text = left(this.left);
    if (this.text.textContent !== text) this.text.textContent = text;
    if (!this.bar) return;
    this.bar.value = Math.min(this.left, this.bar.max);
    if (!this.element.classList.contains("meter-unavailable")) this.look();
  }

  // look gives the meter and its badge the state that the server would give them
  // now.
  look() {
    const state = this.left === 0 ? this.element.dataset.overState : this.left < this.life / 3 ? "late" : "fresh";
    if (state === this.state) return;
    this.state = state;
    this.element.className = `meter meter-${state}`;
    const badge = this.element.closest("[data-token-card]")?.querySelector("[data-token-badge]");
    if (!badge) return;
    badge.className = `chip chip-${looks[state]}`;
    badge.textContent = this.element.dataset[state];
  }
}

let countdowns = [];

// findCountdowns adds the countdowns that are new on the page. A countdown that
// it already has keeps its clock.
function findCountdowns() {
  const known = new Map(countdowns.map((c) => [c.element, c]));
  const elements = [...document.querySelectorAll("[data-expires]")];
  countdowns = elements.map((e) => known.get(e) ?? new Countdown(e));
  Times.localize();
}

// Times says local times on hover, and how long ago a time is while the page
// gets older.
class Times {
  static ago = new Intl.RelativeTimeFormat(root.lang);
  static units = [["day", 86_400_000, 2], ["hour", 3_600_000, 1], ["minute", 60_000, 1]];

  constructor() {
    this.loaded = Date.now();
    setInterval(() => document.hidden || this.move(), 15_000);
  }

  move() {
    for (const time of document.querySelectorAll("[data-ago]")) {
      const ms = Number(time.dataset.ago) + Date.now() - this.loaded;
      const unit = Times.units.find(([, length, least]) => ms >= length * least);
      if (unit) time.textContent = Times.ago.format(-Math.floor(ms / unit[1]), unit[0]);
    }
  }

  static localize() {
    for (const time of document.querySelectorAll("time:not(.local)")) {
      const local = new Date(time.dateTime).toLocaleString(root.lang, { dateStyle: "medium", timeStyle: "long" });
      time.title = `${local} · ${time.title}`;
      time.classList.add("local");
    }
  }
}

function moveCountdowns() {
  countdowns.forEach((c) => c.move());
}

// Card keeps the token card current. It asks for a new one when two thirds of the
// token's life are over, because the request renews the token, and then every two
// seconds until the expiry moves. After a failure, or if the token could not be
// renewed, it doubles the wait each time.
class Card {
  static poll = 2_000;
  static patience = 60_000;

  constructor(place) {
    this.place = place;
    this.message = document.querySelector("[data-token-message]");
    this.failures = 0;
    this.asking = false;
    this.ended = false;
  }

  get meter() {
    return countdowns.find((c) => this.place.contains(c.element));
  }

  // plan sets the time of the next request, if the page is visible.
  plan(wait) {
    clearTimeout(this.timer);
    if (this.ended || document.hidden) return;
    const meter = this.meter;
    const due = meter ? meter.left - meter.life / 3 : 0;
    this.timer = setTimeout(() => this.ask(), wait ?? Math.max(due, Card.poll));
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    let wait;
    try {
      wait = await this.fetch();
    } catch {
      wait = this.failed();
    } finally {
      this.asking = false;
      this.plan(wait);
    }
  }

  async fetch() {
    const answer = await fetch(this.place.dataset.tokenLive, {
      headers: { "X-Requested-With": "fetch" },
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(15_000),
    });
    if (answer.status === 401 || answer.redirected) return this.end();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const card = page.querySelector("[data-token-card]");
    if (!card) return this.failed(answer);
    this.show(card);
    if (!answer.ok || this.meter.left === 0) return this.wait(answer);
    this.failures = 0;
  }

  // show puts a new card on the page. A 503 has a card, too: it says that the
  // token could not be renewed.
  show(card) {
    this.place.replaceChildren(card);
    this.say("");
    findCountdowns();
    moveCountdowns();
  }

  failed(answer) {
    const wait = this.wait(answer);
    if (this.failures > 1) this.say(this.place.dataset.notFetched);
    return wait;
  }

  // wait counts a failure and returns the pause before the next request, in
  // milliseconds.
  wait(answer) {
    this.failures += 1;
    const asked = Number(answer?.headers.get("Retry-After")) * 1000 || 0;
    return Math.max(Math.min(Card.poll * 2 ** (this.failures - 1), Card.patience), asked);
  }

  end() {
    this.ended = true;
    const link = document.createElement("a");
    link.href = "/sign-in";
    link.textContent = this.place.dataset.signInAgain;
    this.say(this.place.dataset.sessionEnded, " ", link);
  }

  say(...words) {
    this.message.replaceChildren(...words);
  }
}

// SessionWatch asks whether the session still lives while the page is visible,
// which is no use of it. It warns before the session ends, and leads to the
// sign-in page when it has ended.
class SessionWatch {
  static poll = 1_500;
  static warning = 60_000;

  constructor(place) {
    this.place = place;
    this.button = place.querySelector("[data-stay]");
    this.button.addEventListener("click", () => this.ask("POST"));
    document.addEventListener("visibilitychange", () => this.ask("GET"));
    setInterval(() => this.warn(), 250);
    this.ask("GET");
  }

  async ask(method) {
    clearTimeout(this.timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(this.place.dataset.session, {
        method,
        headers: { "X-Requested-With": "fetch" },
        cache: "no-store",
        signal: AbortSignal.timeout(15_000),
      });
      if (answer.status === 401) return this.end();
      if (answer.ok) this.learn(await answer.json());
    } catch {
      // The next request may arrive.
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask("GET"), SessionWatch.poll);
  }

  // learn keeps the ends of the session by this browser's clock.
  learn({ now, idle_end, latest_end }) {
    const ahead = Date.now() - Date.parse(now);
    this.idle = Date.parse(idle_end) + ahead;
    this.latest = Date.parse(latest_end) + ahead;
    this.warn();
  }

  get why() {
    return this.idle < this.latest ? "idle" : "latest";
  }

  warn() {
    const ms = Math.min(this.idle, this.latest) - Date.now();
    this.place.hidden = !(ms <= SessionWatch.warning);
    if (this.place.hidden) return;
    this.button.hidden = this.why !== "idle";
    for (const text of this.place.querySelectorAll("[data-warning]")) {
      text.hidden = text.dataset.warning !== this.why;
      text.querySelector("[data-time]").textContent = left(ms);
    }
  }

  // end leaves the page, so that nothing of the session stays on it.
  end() {
    const idle = this.why === "idle" && this.idle - Date.now() < 2_000;
    root.hidden = true;
    const back = encodeURIComponent(location.pathname + location.search);
    location.replace(`/sign-in?done=${idle ? "idle" : "ended"}&return_to=${back}`);
  }
}

// fill enters a sample user and its client into the sign-in form and moves the
// focus to the button.
function fill(button) {
  const form = document.getElementById("sign-in");
  const { fillEmail, fillPassword, fillClient } = button.dataset;
  form.elements.email.value = fillEmail;
  form.elements.password.value = fillPassword;
  if (fillClient) form.elements.client.value = fillClient;
  form.querySelector("[type=submit]").focus();
}

// send marks a form that is being sent, so that it is sent once. The button
// stays enabled, because the browser still reads its value.
function send(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.ariaBusy === "true") return event.preventDefault();
  form.ariaBusy = "true";
  hide(form);
  setTimeout(() => (form.ariaBusy = null), 30_000); // if the browser gave up
}

// reveal shows the password of a field, or hides it again.
function reveal(button) {
  const field = document.getElementById(button.dataset.reveal);
  const shown = field.type === "password";
  field.type = shown ? "text" : "password";
  button.ariaPressed = String(shown);
  field.focus();
}

// hide makes the shown passwords of a form passwords again, so that the browser
// does not keep them as words that were typed.
function hide(form) {
  const shown = form.querySelectorAll("[data-reveal][aria-pressed=true]");
  shown.forEach((button) => (document.getElementById(button.dataset.reveal).type = "password"));
}

// copy copies the value beside a button, and says so on it and to screen
// readers.
async function copy(button) {
  const value = button.parentElement.querySelector("code").textContent;
  const done = await navigator.clipboard.writeText(value).then(() => true, () => false);
  const text = button.firstElementChild;
  const before = (button.before ??= text.textContent);
  text.textContent = done ? button.dataset.copied : button.dataset.notCopied;
  document.querySelector("[data-copy-status]").textContent = button.textContent;
  clearTimeout(button.timer);
  button.timer = setTimeout(() => (text.textContent = before), 2_000);
}

function start() {
  root.classList.toggle("copies", Boolean(navigator.clipboard)); // not by http
  new Times();
  findCountdowns();
  moveCountdowns();
  setInterval(() => document.hidden || moveCountdowns(), 250);

  const place = document.querySelector("[data-token-live]");
  if (place) {
    const card = new Card(place);
    card.plan();
    document.addEventListener("visibilitychange", () => card.plan());
  }

  const session = document.querySelector("[data-session]");
  if (session) new SessionWatch(session);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill-email]");
    if (button) fill(button);
    const eye = event.target.closest("[data-reveal]");
    if (eye) reveal(eye);
    const copied = event.target.closest("[data-copy]");
    if (copied) copy(copied);
  });
  document.addEventListener("submit", send);

  const here = document.querySelector("nav [aria-current]"); // on a phone the row scrolls to it
  if (here) here.closest("ul").scrollLeft = here.offsetLeft - here.closest("ul").clientWidth / 2;

  const result = location.hash === "#result" && document.querySelector("#result");
  if (result) result.focus();
}

start();
