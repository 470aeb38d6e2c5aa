// Numbers, bytes, tensors and names as text.

const plain = new Intl.NumberFormat('en-US');
const compact = new Intl.NumberFormat('en-US', {notation: 'compact', maximumSignificantDigits: 3});

function number(value) {
  return plain.format(value);
}

function bytes(value) {
  return `${number(value)} B`;
}

// "36.4 KiB": for headings and axes; exact bytes stand beside it or in the tooltip.
function roundBytes(value) {
  if (value < 4096) return bytes(value);
  if (value < 1 << 20) return `${trim(value / 1024)}\u00a0KiB`;
  return `${trim(value / (1 << 20))}\u00a0MiB`;
}

function trim(value) {
  return number(Number(value.toPrecision(value < 100 ? 3 : 4)));
}

function percent(part, whole) {
  return whole > 0 ? `${trim(100 * part / whole)} %` : '';
}

function plural(count, what) {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

function shapeText(tensor) {
  return tensor.shape.length ? tensor.shape.join('×') : 'scalar';
}

function tensorType(tensor) {
  return `${tensor.dtype} ${shapeText(tensor)}`;
}

function real(value) {
  return value === null ? 'not finite' : String(Number(value.toPrecision(4)));
}

function quantisation(tensor) {
  const quant = tensor.quantisation;
  if (!quant) return 'not quantised';
  if (quant.channels)
    return `${quant.channels} channels, scale ${real(quant.least_scale)} to ${real(quant.largest_scale)}`;
  const zero = quant.zero_point;
  // No line ends inside the brackets.
  const shifted = zero === 0 ? 'q' : `(q\u00a0${zero < 0 ? '+' : '−'}\u00a0${Math.abs(zero)})`;
  return `${real(quant.scale)} × ${shifted}`;
}

// Model files give long paths: "net/block1/conv/Relu;net/block1/bn/…". The last two parts of the first one tell
// most.
function shortName(name) {
  const parts = name.split(';')[0].split('/').filter(part => part !== '');
  const text = parts.slice(-2).join('/') || name;
  return text.length > 44 ? `${text.slice(0, 43)}…` : text;
}

function longName(name) {
  return name.length > 160 ? `${name.slice(0, 159)}…` : name;
}

// What stands in the brackets of "CONV_2D #3 (net/conv/Relu)".
function layerName(layer) {
  const bracket = layer.name.indexOf('(');
  return bracket < 0 ? layer.name : layer.name.slice(bracket + 1, -1);
}

// At most `count` steps of a power of two: addresses are read in these.
function byteTicks(most, count = 5) {
  let step = 1;
  while (most / step > count) step *= 2;
  const ticks = [];
  for (let value = 0; value <= most; value += step) ticks.push(value);
  return ticks;
}

// An element with text or children; text is never read as HTML.
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
