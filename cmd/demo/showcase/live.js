// Shows prices and orders as B2Trader's hub streams them. The site passes the
// websocket on and adds the session's token, so this script has none.

// The messages of the SignalR hub protocol, in JSON. A separator ends each.
const separator = "\u001e";
const kinds = { item: 2, completion: 3, stream: 4, ping: 6, close: 7 };

// Connection is one websocket to the hub with its streams. It calls
// listener.opened, item, missing and closed.
class Connection {
  static ping = 15_000;
  static silence = 30_000; // the hub pings every 15 s

  constructor(path, streams, listener) {
    this.streams = streams;
    this.listener = listener;
    this.resumable = false; // the hub allows the next connection
    this.socket = new WebSocket(location.origin.replace(/^http/, "ws") + path);
    this.socket.onopen = () => this.send({ protocol: "json", version: 1 });
    this.socket.onmessage = ({ data }) => this.receive(data);
    this.socket.onclose = () => this.end();
    this.pings = setInterval(() => this.opened && this.send({ type: kinds.ping }), Connection.ping);
    this.wake();
  }

  send(message) {
    this.socket.send(JSON.stringify(message) + separator);
  }

  // wake gives the hub time until its next message.
  wake() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.close(), Connection.silence);
  }

  // close ends the connection at once: a browser waits up to a minute for a peer
  // that does not answer.
  close() {
    this.socket.close();
    this.end();
  }

  end() {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.silence);
    clearInterval(this.pings);
    this.listener.closed(this);
  }

  receive(data) {
    if (this.over) return;
    this.wake();
    for (const record of data.split(separator)) {
      if (record) this.read(JSON.parse(record));
    }
  }

  read(message) {
    if (!this.opened) return this.begin(message);
    if (message.type === kinds.item) this.listener.item(this.streams[message.invocationId], message.item);
    if (message.type === kinds.completion) this.listener.missing(message.error ?? "It has ended.");
    if (message.type === kinds.close) {
      this.resumable = message.allowReconnect === true;
      this.close();
    }
  }

  // begin reads the answer to the handshake and opens the streams.
  begin({ error }) {
    if (error) return this.close();
    this.opened = Date.now();
    this.streams.forEach((target, i) => this.send({ type: kinds.stream, invocationId: String(i), target, arguments: [] }));
    this.listener.opened();
  }
}

// put sets the text of an element, if it is another.
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// cells returns the elements of a row by their data-cell.
function cells(row) {
  return Object.fromEntries([...row.querySelectorAll("[data-cell]")].map((e) => [e.dataset.cell, e]));
}

// Rows hands out the rows of a table. A table that is full gets one more.
class Rows {
  constructor(body) {
    this.body = body;
    this.free = [...body.rows];
  }

  next() {
    if (this.free.length === 0) {
      this.free.push(this.body.rows[0].cloneNode(true));
      this.body.append(this.free[0]);
    }
    return cells(this.free.shift());
  }
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

// Price is the row of one instrument.
class Price {
  static points = 48; // of the trend

  constructor(cells, quote) {
    this.cells = cells;
    this.first = Number(quote.bid);
    this.digits = quote.bid.split(".")[1]?.length ?? 0;
    this.bids = [];
    put(cells.instrument, quote.instrument);
  }

  show({ bid, ask }) {
    const before = this.bids.at(-1) ?? Number(bid);
    this.bids = [...this.bids, Number(bid)].slice(-Price.points);
    put(this.cells.bid, bid);
    put(this.cells.ask, ask);
    this.change(Number(bid) - this.first);
    this.tick(Number(bid) - before);
    this.cells.trend.setAttribute("points", this.line());
  }

  change(by) {
    const sign = by > 0 ? "+" : by < 0 ? "−" : "";
    put(this.cells.change, sign + Math.abs(by).toFixed(this.digits));
    this.cells.change.classList.toggle("up", by > 0);
    this.cells.change.classList.toggle("down", by < 0);
  }

  // tick says in which direction the bid went last.
  tick(by) {
    if (by === 0) return;
    const { tick, bid } = this.cells;
    put(tick, by > 0 ? "▲" : "▼");
    tick.className = `tick ${by > 0 ? "up" : "down"}`;
    const colour = by > 0 ? "var(--good-soft)" : "var(--bad-soft)";
    if (!still.matches) bid.animate({ backgroundColor: [colour, "transparent"] }, 700);
  }

  line() {
    const [low, high] = [Math.min(...this.bids), Math.max(...this.bids)];
    const y = (bid) => (high === low ? 12 : 22 - ((bid - low) / (high - low)) * 20);
    const from = Price.points - this.bids.length;
    return this.bids.map((bid, i) => `${((from + i) * 96) / (Price.points - 1)},${y(bid).toFixed(1)}`).join(" ");
  }
}

const looks = { filled: "good", canceled: "bad", partial: "main" };

// Orders shows the last orders, the newest first.
class Orders {
  constructor(body) {
    this.rows = [...body.rows].map(cells);
    this.known = new Map();
  }

  show(order) {
    this.known.set(order.id, order);
    const newest = [...this.known.values()].sort((a, b) => b.created.localeCompare(a.created) || b.id - a.id).slice(0, this.rows.length);
    this.known = new Map(newest.map((o) => [o.id, o]));
    newest.forEach((o, i) => this.fill(this.rows[i], o));
  }

  fill(row, order) {
    put(row.instrument, order.instrument);
    put(row.side, order.side);
    put(row.time, order.created.slice(11, 19));
    put(row.price, order.price);
    put(row.filled, `${order.filled} / ${order.amount}`);
    row.part.value = Number(order.filled) / Number(order.amount);
    put(row.status, order.status);
    row.status.className = `chip chip-${looks[order.status] ?? "idle"}`;
  }
}

// LivePage keeps a connection open while the session lives. After a break it
// waits longer each time, half a minute at most, and less by chance, so that not
// all pages come back at once.
class LivePage {
  static patience = 30_000;
  static grace = 1_500; // a change of connections is not worth a word

  constructor(place) {
    this.place = place;
    this.failures = 0;
    this.opens = 0;
    this.updates = 0;
    this.prices = new Map();
    this.rows = new Rows(place.querySelector("[data-live-prices]"));
    this.orders = new Orders(place.querySelector("[data-live-orders]"));
    this.wait = place.querySelector("[data-live-wait]");
    this.now = place.querySelector("[data-live-now]");
    this.now.addEventListener("click", () => this.retry());
    addEventListener("online", () => this.retry());
    setInterval(() => this.count(), 250);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.due = undefined;
    const { live, prices, orders } = this.place.dataset;
    this.connection = new Connection(live, [prices, orders], this);
  }

  // retry does not wait for the next try.
  retry() {
    if (this.due) this.connect();
  }

  opened() {
    this.opens += 1;
    this.show("live");
  }

  item(stream, item) {
    this.failures = 0;
    this.updates += 1;
    if (stream === this.place.dataset.orders) return this.orders.show(item);
    if (!this.prices.has(item.instrument)) this.prices.set(item.instrument, new Price(this.rows.next(), item));
    this.prices.get(item.instrument).show(item);
  }

  // missing stops: the hub refuses a stream, and would refuse it again.
  missing(reason) {
    this.stopped = true;
    this.connection.close();
    put(this.place.querySelector("[data-live-reason]"), reason);
    this.show("missing");
  }

  async closed({ resumable, opened }) {
    if (this.stopped) return;
    this.word ??= setTimeout(() => this.show("waiting"), LivePage.grace);
    if (resumable && Date.now() - opened > LivePage.grace) return this.connect();
    if (await this.signedOut()) return this.end();
    const longest = Math.min(500 * 2 ** this.failures, LivePage.patience);
    this.failures += 1;
    this.due = Date.now() + longest * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.connect(), this.due - Date.now());
    this.count();
  }

  // signedOut asks the site, because a websocket does not say why it is refused.
  async signedOut() {
    try {
      const answer = await fetch("/session", {
        headers: { "X-Requested-With": "background" },
        cache: "no-store",
        signal: AbortSignal.timeout(15_000),
      });
      return answer.status === 401;
    } catch {
      return false; // the site cannot be reached
    }
  }

  // end stops for good and leaves nothing of the session on the page.
  end() {
    this.stopped = true;
    this.place.querySelector(".live-tables").remove();
    this.show("ended");
  }

  show(state) {
    clearTimeout(this.word);
    this.word = undefined;
    this.place.dataset.state = state;
    for (const line of this.place.querySelectorAll("[data-live-state]")) line.hidden = line.dataset.liveState !== state;
    this.now.hidden = state !== "waiting";
  }

  // count keeps the facts and the time until the next try.
  count() {
    const open = this.connection.over ? undefined : this.connection.opened;
    const facts = { number: this.opens || "–", age: open ? `${Math.floor((Date.now() - open) / 1000)} s` : "–", updates: this.updates };
    for (const [name, value] of Object.entries(facts)) put(this.place.querySelector(`[data-live-fact="${name}"]`), String(value));
    const seconds = Math.ceil((this.due - Date.now()) / 1000);
    put(this.wait, seconds > 0 ? `Next try in ${seconds} s.` : "Trying again…");
  }
}

new LivePage(document.querySelector("[data-live]"));
