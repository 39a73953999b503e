// Moves countdowns, keeps the token card current, fills the sign-in form with a sample
// user, and takes people to what went wrong. Every page is complete without it.

const root = document.documentElement;
root.classList.add("js");

// left says how long milliseconds are, rounded up, in the words the server uses.
function left(ms) {
  if (ms < 90_000) return `${Math.ceil(Math.max(ms, 0) / 1000)} s`;
  const min = Math.ceil(ms / 60_000);
  if (min < 90) return `${min} min`;
  if (min < 48 * 60) return `${Math.floor(min / 60)} h ${min % 60} min`;
  return `${Math.ceil(min / 1440)} days`;
}

const badges = { fresh: ["good", "Valid"], late: ["warn", "Renewal due"], expired: ["bad", "Expired"] };

// Countdown moves one element that carries data-expires. The server's clock rules: what the
// browser's differs by, at the time the page came, is taken off.
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
    const text = left(this.left);
    if (this.text.textContent !== text) this.text.textContent = text;
    if (!this.bar) return;
    this.bar.value = Math.min(this.left, this.bar.max);
    if (!this.element.classList.contains("meter-unavailable")) this.look();
  }

  // look gives meter and badge the state that the server would give them now.
  look() {
    const state = this.left === 0 ? "expired" : this.left < this.life / 3 ? "late" : "fresh";
    if (state === this.state) return;
    this.state = state;
    this.element.className = `meter meter-${state}`;
    const badge = this.element.closest("[data-token-card]")?.querySelector("[data-token-badge]");
    if (!badge) return;
    const [kind, text] = badges[state];
    badge.className = `chip chip-${kind}`;
    badge.textContent = text;
  }
}

let countdowns = [];

// findCountdowns takes in what is new on the page; what it knows keeps its clock.
function findCountdowns() {
  const known = new Map(countdowns.map((c) => [c.element, c]));
  const elements = [...document.querySelectorAll("[data-expires]")];
  countdowns = elements.map((e) => known.get(e) ?? new Countdown(e));
}

function moveCountdowns() {
  countdowns.forEach((c) => c.move());
}

// Card keeps the token card current: it asks once two thirds of the token's life are over,
// because asking is what renews it then, and every two seconds until the expiry moves. After
// a failure, or a token that could not be renewed, it waits twice as long each time.
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

  // plan sets the next request, and only while someone is looking.
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

  // show puts a fresh card on the page. It comes with a 503 too, when it says that the token
  // could not be renewed.
  show(card) {
    this.place.replaceChildren(card);
    this.say("");
    findCountdowns();
    moveCountdowns();
  }

  failed(answer) {
    const wait = this.wait(answer);
    if (this.failures > 1) this.say("The token's state could not be fetched. Trying again.");
    return wait;
  }

  // wait is how long to leave the server alone after one more failure, in milliseconds.
  wait(answer) {
    this.failures += 1;
    const asked = Number(answer?.headers.get("Retry-After")) * 1000 || 0;
    return Math.max(Math.min(Card.poll * 2 ** (this.failures - 1), Card.patience), asked);
  }

  end() {
    this.ended = true;
    const link = document.createElement("a");
    link.href = "/sign-in";
    link.textContent = "Sign in again";
    this.say("Your session has ended. ", link);
  }

  say(...words) {
    this.message.replaceChildren(...words);
  }
}

// fill puts a sample user, and the client that fits, into the sign-in form and waits at its button.
function fill(button) {
  const form = document.getElementById("sign-in");
  const { fillEmail, fillPassword, fillClient } = button.dataset;
  form.elements.email.value = fillEmail;
  form.elements.password.value = fillPassword;
  if (fillClient) form.elements.client.value = fillClient;
  form.querySelector("[type=submit]").focus();
}

function start() {
  findCountdowns();
  moveCountdowns();
  setInterval(() => document.hidden || moveCountdowns(), 250);

  const place = document.querySelector("[data-token-live]");
  if (place) {
    const card = new Card(place);
    card.plan();
    document.addEventListener("visibilitychange", () => card.plan());
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill-email]");
    if (button) fill(button);
  });

  const result = location.hash === "#result" && document.querySelector("#result");
  (document.getElementById("problem") || result || null)?.focus();
}

start();
