// The map of 54: shapes are drawn once; day, view and layout change here in the browser and ask the server for nothing.
// MAP (outlines, squares, looks) is put before this file by map54.py; what the runs say comes through `feed`.

const SVG = "http://www.w3.org/2000/svg";
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SMALL = ["VT", "NH", "MA", "RI", "CT", "NJ", "DE", "MD", "DC", "PR", "VI", "GU"];
const NARROW = 700;
const CELL = 60;
const BOX = { left: 985, top: 92, width: 92, height: 34, gap: 8 };
const INDEX = Object.fromEntries(MAP.codes.map((code, k) => [code, k]));
// Squares row by row: the order in which arrows left and right walk, in both layouts.
const ORDER = Object.keys(MAP.states).sort((a, b) => {
  const [p, q] = [MAP.states[a].square, MAP.states[b].square];
  return p[1] - q[1] || p[0] - q[0];
});

function make(tag, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (parent) parent.append(element);
  return element;
}

// Hatching for each status, so that none is told by its colour alone.
function patterns(svg, prefix) {
  const defs = make("defs", {}, svg);
  MAP.looks.forEach(({ colour, pattern }, k) => {
    const tile = make("pattern", { id: `${prefix}-${k}`, width: 10, height: 10, patternUnits: "userSpaceOnUse" }, defs);
    make("rect", { width: 10, height: 10, fill: colour }, tile);
    const lines = {
      "/": ["M-2 12L12 -2M-2 2L2 -2M8 12L12 8"],
      "\\": ["M-2 -2L12 12M8 -2L12 2M-2 8L2 12"],
      x: ["M-2 12L12 -2M-2 -2L12 12"],
      "-": ["M0 5H10"],
      "|": ["M5 0V10"],
      ".": ["M4 5H6"],
    }[pattern];
    for (const d of lines || []) make("path", { d, stroke: "#222", "stroke-width": 1.3, fill: "none" }, tile);
  });
}

function shade(share) {
  const mix = (from, to) => Math.round(from + (to - from) * share);
  return `rgb(${mix(245, 0)}, ${mix(245, 114)}, ${mix(245, 178)})`;
}

class Map54 {
  constructor(root, pick) {
    this.root = root;
    this.pick = pick;
    this.data = null;
    this.day = null;
    this.view = "share";
    this.layout = "auto";
    this.focused = "TX";
    this.shapes = {};
    this.prefix = `map${Math.random().toString(36).slice(2)}`;
    this.part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.build();
    this.listen();
  }

  build() {
    const svg = this.part("svg");
    svg.replaceChildren();
    patterns(svg, this.prefix);
    this.part("runKey").replaceChildren(...MAP.looks.map(({ words, letter }, k) => {
      const entry = document.createElement("span");
      const swatch = make("svg", { viewBox: "0 0 22 16", "aria-hidden": "true" });
      make("rect", { width: 22, height: 16, fill: `url(#${this.prefix}-${k})`, stroke: "#6b6b6b" }, swatch);
      entry.append(swatch, `${letter} ${words}`);
      return entry;
    }));
    for (const code of ORDER) {
      const group = make("g", { class: "state", role: "option", "data-code": code, tabindex: -1, "aria-selected": "false" }, svg);
      const outline = make("path", { d: MAP.states[code].d, transform: `scale(${MAP.unit})`, class: "outline" }, group);
      const square = make("rect", { class: "square", rx: 3 }, group);
      const label = make("text", { "aria-hidden": "true", class: "label" }, group);
      const name = make("tspan", { class: "code" }, label);
      const number = make("tspan", { class: "number" }, label);
      name.textContent = code;
      this.shapes[code] = { group, outline, square, label, name, number };
    }
    for (const view of ["share", "run"]) {
      const radio = this.part(view);
      radio.name = `${this.prefix}-view`;
    }
    for (const layout of ["geographic", "squares"]) this.part(layout).name = `${this.prefix}-layout`;
  }

  listen() {
    this.stop = new AbortController();
    const { signal } = this.stop;
    const on = (target, kind, act) => target.addEventListener(kind, act, { signal });
    on(this.part("day"), "input", (event) => this.show(Number(event.target.value)));
    on(this.part("play"), "click", () => this.play());
    for (const view of ["share", "run"]) on(this.part(view), "change", () => this.look({ view }));
    for (const layout of ["geographic", "squares"]) on(this.part(layout), "change", () => this.look({ layout }));
    on(this.part("svg"), "click", (event) => this.choose(this.codeOf(event)));
    on(this.part("svg"), "keydown", (event) => this.key(event));
    on(this.part("svg"), "focusin", (event) => this.tell(this.codeOf(event)));
    on(this.part("svg"), "pointerover", (event) => this.tell(this.codeOf(event)));
    const watch = new ResizeObserver(() => this.arrange());
    watch.observe(this.root);
    on(signal, "abort", () => {
      watch.disconnect();
      clearInterval(this.timer);
    });
  }

  codeOf(event) {
    const group = event.target.closest ? event.target.closest("g.state") : null;
    return group ? group.dataset.code : null;
  }

  take(data) {
    const isFirst = this.data === null;
    this.data = data;
    this.changes = data.statuses.map((row) => row.match(/.{4}/g).map((change) => [parseInt(change.slice(1), 36), Number(change[0])]));
    const last = data.share[0].length - 1;
    this.part("day").max = last;
    this.part("runName").textContent = `run ${data.run}`;
    if (data.selected) this.focused = data.selected;
    if (isFirst) this.part("day").value = last;
    this.arrange();
    this.show(isFirst ? last : Math.min(this.day, last));
  }

  look(change) {
    Object.assign(this, change);
    this.arrange();
    this.show(this.day);
  }

  isSquare() {
    return this.root.clientWidth < NARROW || this.layout === "squares";
  }

  // Where everything lies; colours and words are `show`'s.
  arrange() {
    const isSquare = this.isSquare();
    const isNarrow = this.root.clientWidth < NARROW;
    if (this.arranged === isSquare && this.wasNarrow === isNarrow) return;
    this.arranged = isSquare;
    this.wasNarrow = isNarrow;
    const svg = this.part("svg");
    svg.setAttribute("viewBox", isSquare ? `0 0 ${11 * CELL} ${8 * CELL}` : `0 0 ${BOX.left + BOX.width + 5} ${MAP.frame[1]}`);
    svg.classList.toggle("squares", isSquare);
    this.part("layouts").hidden = isNarrow;
    this.part(isSquare ? "squares" : "geographic").checked = true;
    for (const [code, shape] of Object.entries(this.shapes)) {
      const { at, size, square } = MAP.states[code];
      const place = SMALL.indexOf(code);
      shape.outline.style.display = isSquare ? "none" : "";
      shape.square.style.display = isSquare || place >= 0 ? "" : "none";
      const box = isSquare
        ? [square[0] * CELL + 2, square[1] * CELL + 2, CELL - 4, CELL - 4]
        : [BOX.left, BOX.top + place * (BOX.height + BOX.gap), BOX.width, BOX.height];
      ["x", "y", "width", "height"].forEach((name, k) => shape.square.setAttribute(name, box[k]));
      const inBox = isSquare || place >= 0;
      const x = inBox ? box[0] + box[2] / 2 : at[0];
      const y = inBox ? box[1] + box[3] / 2 : at[1];
      shape.inRow = !isSquare && (place >= 0 || size[0] < 55 || size[1] < 40);
      shape.isTight = !isSquare && place < 0 && (size[0] < 30 || size[1] < 24);
      shape.label.setAttribute("y", y);
      for (const line of [shape.name, shape.number]) line.setAttribute("x", x);
      shape.name.setAttribute("dy", shape.inRow ? "0.35em" : "-0.15em");
      shape.number.setAttribute("dy", "1.1em");
      shape.x = x;
    }
    if (this.data) this.show(this.day);
  }

  shareOf(code, day) {
    return DIGITS.indexOf(this.data.share[INDEX[code]][day]) / (DIGITS.length - 1);
  }

  statusOf(code, day) {
    return this.changes[INDEX[code]].findLast(([from]) => from <= day)[1];
  }

  say(code, day) {
    const name = `${code}, ${MAP.names[INDEX[code]]}`;
    const looks = MAP.looks[this.statusOf(code, day)];
    if (this.view === "run") return `${name}: ${looks.words} on day ${day} of run ${this.data.run}`;
    const percent = Math.round(100 * this.shareOf(code, day));
    const verb = MAP.governed[INDEX[code]] ? "agrees" : "is sent by the President, no governor being asked,";
    return `${name}: ${verb} in about ${percent} % of runs on day ${day}`;
  }

  show(day) {
    if (!this.data) return;
    this.day = day;
    const isShare = this.view === "share";
    for (const code of ORDER) {
      const { group, outline, square, name, number, inRow, isTight, x } = this.shapes[code];
      const status = this.statusOf(code, day);
      const fill = isShare ? shade(this.shareOf(code, day)) : `url(#${this.prefix}-${status})`;
      outline.style.fill = fill;
      square.style.fill = fill;
      const word = isShare ? String(Math.round(100 * this.shareOf(code, day))) : MAP.looks[status].letter;
      // One line where there is no room for two, and the letters alone where there is hardly any.
      name.textContent = inRow && !isTight ? `${code} ${word}` : code;
      number.textContent = inRow ? "" : word;
      number.setAttribute("x", x);
      group.setAttribute("aria-label", this.say(code, day));
      group.classList.toggle("ungoverned", !MAP.governed[INDEX[code]]);
      group.setAttribute("aria-selected", String(code === this.data.selected));
      group.setAttribute("tabindex", code === this.focused ? 0 : -1);
    }
    const date = new Date(`${this.data.start}T00:00:00Z`);
    date.setUTCDate(date.getUTCDate() + day);
    const words = date.toLocaleDateString("en-GB", { day: "2-digit", month: "short", year: "numeric", timeZone: "UTC" });
    this.part("when").textContent = `Day ${day}, ${words}`;
    this.part("day").value = day;
    this.part("day").setAttribute("aria-valuetext", `day ${day}, ${words}`);
    this.part("svg").setAttribute("aria-label", isShare ? "Share of runs in which each state agrees" : `Status of each state in run ${this.data.run}`);
    this.part("shareKey").hidden = !isShare;
    this.part("runKey").hidden = isShare;
    this.tell(this.told || this.data.selected);
  }

  tell(code) {
    if (!this.data || !code) return;
    this.told = code;
    this.part("said").textContent = this.say(code, this.day);
  }

  choose(code) {
    if (!code) return;
    this.focused = code;
    this.data.selected = code;
    this.show(this.day);
    this.tell(code);
    this.shapes[code].group.focus();
    this.pick(code);
  }

  key(event) {
    const here = this.codeOf(event);
    if (!here) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(here);
      return;
    }
    const there = this.next(here, event.key);
    if (!there) return;
    event.preventDefault();
    this.shapes[here].group.setAttribute("tabindex", -1);
    this.focused = there;
    this.shapes[there].group.setAttribute("tabindex", 0);
    this.shapes[there].group.focus();
  }

  next(here, key) {
    const at = ORDER.indexOf(here);
    if (key === "Home") return ORDER[0];
    if (key === "End") return ORDER[ORDER.length - 1];
    if (key === "ArrowRight") return ORDER[Math.min(at + 1, ORDER.length - 1)];
    if (key === "ArrowLeft") return ORDER[Math.max(at - 1, 0)];
    if (key !== "ArrowUp" && key !== "ArrowDown") return null;
    const [column, row] = MAP.states[here].square;
    const wanted = row + (key === "ArrowUp" ? -1 : 1);
    const near = ORDER.filter((code) => MAP.states[code].square[1] === wanted);
    const far = (code) => Math.abs(MAP.states[code].square[0] - column);
    return near.sort((a, b) => far(a) - far(b))[0] || null;
  }

  play() {
    const button = this.part("play");
    const stop = () => {
      clearInterval(this.timer);
      this.timer = null;
      button.textContent = "Play";
    };
    if (this.timer) return stop();
    const last = Number(this.part("day").max);
    if (this.day >= last) this.show(0);
    button.textContent = "Pause";
    // Who wants little motion sees a picture a second, a twelfth of the time further on each.
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const [step, pause] = isCalm ? [Math.max(1, Math.round(last / 12)), 1000] : [1, 70];
    this.timer = setInterval(() => {
      this.show(Math.min(last, this.day + step));
      if (this.day >= last) stop();
    }, pause);
  }
}

const maps = new WeakMap();

export default function ({ parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".map54");
  const pick = (code) => setTriggerValue("picked", code);
  const known = maps.get(root);
  if (known) {
    known.pick = pick;
  } else {
    const feeds = (globalThis.guardMapFeeds ??= new EventTarget());
    const map = new Map54(root, pick);
    const take = () => feeds.latest && map.take(feeds.latest);
    feeds.addEventListener("fed", take, { signal: map.stop.signal });
    take();
    maps.set(root, map);
  }
  return () => {
    maps.get(root)?.stop.abort();
    maps.delete(root);
  };
}
