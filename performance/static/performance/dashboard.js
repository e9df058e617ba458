import { draw, empty, legend } from "./charts.js";

const FAST_MS = 2000;
const SLOW_MS = 15000;
const at = (id) => document.getElementById(id);

function make(tag, { className, text, ...rest } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), rest);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

const ms = (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);
const bytes = (value) => (value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e3).toFixed(1)} kB`);
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

// columns: [{ title, cell: (row) => Node | string, className }]
function table(box, columns, rows, nothing) {
  if (!rows.length) return empty(box, nothing);
  const head = make("tr", {}, ...columns.map((column) => make("th", { className: column.className, text: column.title, scope: "col" })));
  const body = rows.map((row) => make("tr", {}, ...columns.map((column) => {
    const state = column.state ? column.state(row) : "";
    return make("td", { className: `${column.className ?? ""} ${state}` }, column.cell(row));
  })));
  box.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
}

function tile(label, value, unit, isBad) {
  const figure = make("b", { className: isBad ? "bad" : "", text: value });
  if (unit) figure.append(" ", make("small", { text: unit }));
  return make("div", { className: "tile" }, make("span", { className: "quiet", text: label }), figure);
}

const lastOf = (series, name) => series.findLast((point) => point[name] !== null)?.[name] ?? null;
const percent = (value) => (value === null ? "–" : value.toFixed(1));

function totals(caches) {
  const hits = Object.values(caches).reduce((sum, cache) => sum + cache.hits, 0);
  const asked = Object.values(caches).reduce((sum, cache) => sum + cache.hits + cache.misses, 0);
  return asked ? (100 * hits) / asked : null;
}

function showTiles(figures) {
  const { requests, series, processes } = figures;
  const pool = figures.database?.databases.default.pool;
  const usage = pool ? pool.usage * 100 : null;
  const memory = processes.reduce((sum, process) => sum + process.rss_bytes, 0);
  at("tiles").replaceChildren(
    tile("Requests", figures.requests_per_second.toFixed(1), "/s"),
    tile("Median", requests.p50_ms.toFixed(1), "ms"),
    tile("P95", requests.p95_ms.toFixed(1), "ms", requests.p95_ms > 1000),
    tile("Errors", String(requests.errors), `in ${figures.recent_minutes} min`, requests.errors > 0),
    tile("Cache hit rate", percent(lastOf(series, "hit_rate") ?? totals(figures.caches)), "%"),
    tile("Connections", percent(usage), "% in use", usage > 80),
    tile("Memory", bytes(memory), processes.length > 1 ? `in ${processes.length} processes` : ""),
  );
}

function showCharts(figures) {
  const { series } = figures;
  const labels = series.map((point) => clock(point.minute * 60));
  const ticks = [0, 20, 40, series.length - 1].map((index) => [index, labels[index]]);
  const quiet = (point, name) => (point.count ? point[name] : null);
  const lines = ["p50", "p95", "p99"].map((name) => ({ name: name.toUpperCase(), values: series.map((point) => quiet(point, `${name}_ms`)) }));
  draw(at("latency"), { series: lines, labels, ticks, unit: " ms" });
  legend(at("latency-legend"), lines.map((line) => line.name));
  draw(at("hits"), { series: [{ name: "Hit rate", values: series.map((point) => point.hit_rate) }], labels, ticks, unit: " %", max: 100, area: true });
  draw(at("pool"), { series: [{ name: "In use", values: series.map((point) => point.pool_usage) }], labels, ticks, unit: " %", max: 100, limit: 80, area: true });
  const { distribution } = figures;
  const shares = distribution.map((point) => `${+(point.share * 100).toFixed(1)} %`);
  draw(at("curve"), { series: [{ name: "Under", values: figures.requests.count ? distribution.map((point) => point.ms) : [] }], labels: shares, ticks: shares.map((text, index) => [index, text]), unit: " ms", area: true });
  at("hits-now").textContent = `${percent(totals(figures.caches))} % overall`;
  const pool = figures.database?.databases.default.pool;
  at("pool-now").textContent = pool ? `${pool.checked_out} of ${pool.checked_out + pool.available}, ${pool.waiting} waiting` : "unknown";
}

function showBudgets(budgets) {
  const over = budgets.filter((row) => row.keeps === false);
  const asked = budgets.filter((row) => row.keeps !== null);
  at("budgets-note").textContent = `${asked.length - over.length} of ${asked.length} measured endpoints within budget`;
  const measure = (title, name, unit) => ({
    title,
    className: "number",
    cell: (row) => (row.live ? `${row.live[name]}${unit} / ${row.budget[name]}${unit}` : `– / ${row.budget[name]}${unit}`),
    state: (row) => (row.live ? (row.over.includes(name) ? "bad" : "good") : ""),
  });
  const rank = { false: 0, true: 1, null: 2 };
  table(at("budgets"), [
    { title: "Endpoint", className: "name", cell: (row) => make("span", {}, make("span", { className: `mark ${row.keeps === null ? "" : row.keeps ? "good" : "bad"}` }), row.name) },
    measure("Statements", "statements", ""),
    measure("P95", "p95_ms", " ms"),
    measure("Size", "kilobytes", " kB"),
    { title: "Index", className: "name", cell: (row) => row.index || "–" },
    { title: "Calls", className: "number", cell: (row) => String(row.count ?? 0) },
  ], budgets.toSorted((a, b) => rank[a.keeps] - rank[b.keeps]), "No endpoint declares a budget");
}

const slowColumns = (title) => [
  { title, className: "name", cell: (row) => make("span", {}, row.name, make("span", { className: "trace", text: row.top_buckets[0]?.trace ? `slowest: ${row.top_buckets[0].trace}` : "" })) },
  { title: "Calls", className: "number", cell: (row) => String(row.count) },
  { title: "P50", className: "number", cell: (row) => ms(row.p50_ms) },
  { title: "P95", className: "number", cell: (row) => ms(row.p95_ms), state: (row) => (row.p95_ms > 1000 ? "bad" : "") },
  { title: "P99", className: "number", cell: (row) => ms(row.p99_ms) },
];

function showCaches(caches) {
  const rows = Object.entries(caches).map(([name, cache]) => ({ name, ...cache }));
  const rate = (row) => (row.hits + row.misses ? (100 * row.hits) / (row.hits + row.misses) : null);
  table(at("caches"), [
    { title: "Cache", className: "name", cell: (row) => row.name },
    { title: "Hit rate", cell: (row) => (rate(row) === null ? "–" : make("span", {}, make("progress", { max: 100, value: rate(row) }), ` ${rate(row).toFixed(1)} %`)) },
    { title: "Hits", className: "number", cell: (row) => String(row.hits) },
    { title: "Misses", className: "number", cell: (row) => String(row.misses) },
    { title: "Entries", className: "number", cell: (row) => String(row.entries) },
    { title: "Size", className: "number", cell: (row) => bytes(row.bytes) },
  ], rows, "No caches");
}

function showDatabase(database) {
  if (!database) return empty(at("database"), "The database does not answer");
  const list = make("dl");
  const add = (term, text) => list.append(make("dt", { text: term }), make("dd", { text }));
  const pairs = (found) => Object.entries(found).map(([name, count]) => `${count} ${name}`).join(", ") || "none";
  for (const [alias, stats] of Object.entries(database.databases)) {
    add(`Connections (${alias})`, `${stats.connections.total}: ${pairs(stats.connections.by_state)}`);
    add("Waits", pairs(stats.waits));
    add("Read from memory", stats.cache_hit_ratio === null ? "–" : `${(stats.cache_hit_ratio * 100).toFixed(2)} %`);
    add("Deadlocks", String(stats.transactions.deadlocks));
    add("Size", bytes(stats.size_bytes));
    for (const query of stats.slow_queries) add(`Running ${query.seconds.toFixed(1)} s`, query.query);
    for (const lock of stats.locks) add(`Blocked ${lock.seconds.toFixed(1)} s by ${lock.blocked_by}`, lock.query);
  }
  at("database").replaceChildren(list);
}

const NAMES = { api: "Slow request", query: "Slow query", pool: "Connections nearly used up", memory: "Memory nearly used up" };
const describe = (alert) => `${alert.value} ${alert.unit} (threshold ${alert.threshold} ${alert.unit}) ${alert.subject || alert.scope}${alert.trace ? ` · request ${alert.trace}` : ""}`;

function showAlerts({ open, history }) {
  at("alerts").hidden = !open.length;
  at("alerts").replaceChildren(...open.map((alert) => make("div", { className: "alert" }, make("strong", { text: NAMES[alert.kind] ?? alert.kind }), make("span", { text: `since ${clock(alert.started_at)}: ${describe(alert)}` }))));
  table(at("history"), [
    { title: "Time", cell: (row) => clock(row.at) },
    { title: "What", cell: (row) => make("span", { className: `pill ${row.event === "raised" ? "bad" : "good"}`, text: `${NAMES[row.kind] ?? row.kind} ${row.event}` }) },
    { title: "Detail", className: "name", cell: describe },
  ], history, "No alert so far");
}

function showProcesses(processes) {
  table(at("processes"), [
    { title: "Process", className: "name", cell: (row) => `${row.host} ${row.pid}` },
    { title: "Program", cell: (row) => row.program },
    { title: "Memory", className: "number", cell: (row) => bytes(row.rss_bytes) },
    { title: "Pool", className: "number", cell: (row) => Object.values(row.pools).map((pool) => `${pool.pool_size - pool.pool_available}/${pool.pool_max}`).join(", ") || "–" },
  ], processes.toSorted((a, b) => b.rss_bytes - a.rss_bytes), "No process has reported yet");
}

function showState(figures) {
  const over = figures.budgets.filter((row) => row.keeps === false).length;
  const open = figures.alerts.open.length;
  at("state").className = `pill ${open || over ? "bad" : "good"}`;
  at("state").textContent = open ? `${open} open alert${open > 1 ? "s" : ""}` : over ? `${over} over budget` : "All within budget";
}

function show(figures) {
  showState(figures);
  showAlerts(figures.alerts);
  showTiles(figures);
  showCharts(figures);
  showBudgets(figures.budgets);
  table(at("endpoints"), slowColumns("Endpoint"), figures.endpoints, "No requests in the last minutes");
  table(at("queries"), slowColumns("Query"), figures.queries, "No queries in the last minutes");
  showCaches(figures.caches);
  showDatabase(figures.database);
  showProcesses(figures.processes);
}

let latest;
async function refresh() {
  let pause = SLOW_MS;
  try {
    const response = await fetch(document.body.dataset.figures, { headers: { Accept: "application/json" } });
    if (response.status === 401 || response.status === 403) return location.reload();
    if (!response.ok) throw new Error(response.statusText);
    latest = await response.json();
    show(latest);
    pause = latest.is_active || latest.alerts.open.length ? FAST_MS : SLOW_MS;
    at("pulse").className = "dot live";
    at("pace").textContent = `updates every ${pause / 1000} s`;
  } catch {
    at("pulse").className = "dot lost";
    at("pace").textContent = "no answer, trying again";
  }
  timer = setTimeout(refresh, document.hidden ? SLOW_MS : pause);
}

let timer;
document.addEventListener("visibilitychange", () => { if (!document.hidden) { clearTimeout(timer); refresh(); } });
addEventListener("resize", () => latest && showCharts(latest));
refresh();
