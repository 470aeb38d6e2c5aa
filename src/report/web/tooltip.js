// The one tooltip of the page: a title and rows of label and value, beside the pointer and inside the window.

const tooltip = document.getElementById('tooltip');

function showTooltip(event, title, rows) {
  const table = element('table', {});
  for (const [label, value] of rows)
    table.append(element('tr', {}, element('th', {}, label), element('td', {}, value)));
  tooltip.replaceChildren(element('strong', {}, title), table);
  tooltip.hidden = false;
  const {width, height} = tooltip.getBoundingClientRect();
  const gap = 14;
  const right = event.clientX + gap + width <= window.innerWidth - 8;
  const below = event.clientY + gap + height <= window.innerHeight - 8;
  const x = right ? event.clientX + gap : event.clientX - gap - width;
  const y = below ? event.clientY + gap : event.clientY - gap - height;
  tooltip.style.transform = `translate(${Math.max(8, x)}px, ${Math.max(8, y)}px)`;
}

function hideTooltip() {
  tooltip.hidden = true;
}
