// Line and area charts as SVG, drawn to the size of their box.

const NS = "http://www.w3.org/2000/svg";
const MARGIN = { top: 8, right: 8, bottom: 20, left: 40 };

function shape(name, attributes, text) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// The smallest of 1, 2, 5 times a power of ten that is at least `value`.
function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999);
}

// A line breaks where there is no value: silence is not zero.
function pathOf(points) {
  let path = "";
  let pen = "M";
  for (const point of points) {
    if (!point) { pen = "M"; continue; }
    path += `${pen}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    pen = "L";
  }
  return path;
}

function runsOf(points) {
  const runs = [[]];
  for (const point of points) point ? runs.at(-1).push(point) : runs.push([]);
  return runs.filter((run) => run.length);
}

export function empty(box, text) {
  const note = document.createElement("div");
  note.className = "empty";
  note.textContent = text;
  box.replaceChildren(note);
}

// series: [{ name, values }], values as long as labels, null for none.
export function draw(box, { series, labels, unit, max, limit, area, ticks }) {
  const all = series.flatMap((line) => line.values).filter((value) => value !== null);
  if (!all.length) return empty(box, "Nothing measured yet");
  const width = box.clientWidth, height = box.clientHeight;
  const top = max ?? niceCeiling(Math.max(...all, 1e-9));
  const x = (index) => MARGIN.left + (index / Math.max(labels.length - 1, 1)) * (width - MARGIN.left - MARGIN.right);
  const y = (value) => height - MARGIN.bottom - (Math.min(value, top) / top) * (height - MARGIN.top - MARGIN.bottom);
  const names = series.map((line) => line.name).join(", ");
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Chart of ${names}` });
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    svg.append(shape("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(top * share), y2: y(top * share) }));
    if (share * 4 % 2 === 0) svg.append(shape("text", { class: "axis", x: MARGIN.left - 6, y: y(top * share) + 4, "text-anchor": "end" }, `${+(top * share).toPrecision(3)}${unit}`));
  }
  for (const [index, text] of ticks) svg.append(shape("text", { class: "axis", x: x(index), y: height - 4, "text-anchor": index === 0 ? "start" : index === labels.length - 1 ? "end" : "middle" }, text));
  if (limit !== undefined) svg.append(shape("line", { class: "limit", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(limit), y2: y(limit) }));
  series.forEach((line, number) => {
    const points = line.values.map((value, index) => (value === null ? null : [x(index), y(value)]));
    if (area) for (const run of runsOf(points)) svg.append(shape("path", { class: "area", d: `${pathOf(run)}L${run.at(-1)[0]} ${y(0)}L${run[0][0]} ${y(0)}Z` }));
    svg.append(shape("path", { class: `series c${number}`, d: pathOf(points) }));
    for (const run of runsOf(points)) if (run.length === 1) svg.append(shape("circle", { class: "bead", cx: run[0][0], cy: run[0][1], r: 3.5 }));
  });
  box.replaceChildren(svg);
  hover(box, svg, { series, labels, unit, x, height });
}

function hover(box, svg, { series, labels, unit, x, height }) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  const line = shape("line", { class: "cursor", y1: MARGIN.top, y2: height - MARGIN.bottom, visibility: "hidden" });
  svg.append(line);
  box.append(tip);
  box.onpointermove = (event) => {
    const at = event.clientX - box.getBoundingClientRect().left;
    const index = labels.map((_, i) => Math.abs(x(i) - at)).reduce((best, gap, i, gaps) => (gap < gaps[best] ? i : best), 0);
    const values = series.map((each) => `${each.name}  ${each.values[index] === null ? "–" : each.values[index] + unit}`);
    tip.textContent = [labels[index], ...values].join("\n");
    tip.hidden = false;
    tip.style.left = `${Math.min(x(index) + 10, box.clientWidth - tip.offsetWidth)}px`;
    for (const end of ["x1", "x2"]) line.setAttribute(end, x(index));
    line.setAttribute("visibility", "visible");
  };
  box.onpointerleave = () => { tip.hidden = true; line.setAttribute("visibility", "hidden"); };
}

export function legend(box, names) {
  box.replaceChildren(...names.map((name, number) => {
    const item = document.createElement("li");
    const key = shape("svg", { viewBox: "0 0 14 8", "aria-hidden": "true" });
    key.append(shape("line", { class: `series c${number}`, x1: 1, x2: 13, y1: 4, y2: 4 }));
    item.append(key, name);
    return item;
  }));
}
