// Puts the page together from the data in it.

const data = JSON.parse(document.getElementById('data').textContent);

function summaryTile(title, figure, ...notes) {
  return element(
      'div', {}, element('dt', {}, title), element('dd', {class: 'figure'}, figure),
      ...notes.filter(note => note).map(note => element('dd', {class: 'note'}, note)));
}

function summaryTiles() {
  const above = data.arena_bytes - data.arena_lower_bound_bytes;
  const tiles = [summaryTile(
      'Arena (RAM)', roundBytes(data.arena_bytes), bytes(data.arena_bytes),
      arenasOf(data).length > 1 ? '' :
          above === 0           ? 'no plan in this order is smaller' :
                                  `${percent(above, data.arena_lower_bound_bytes)} above the lower bound`,
      ...arenasOf(data).map(arena => `${arena.memory} ${bytes(arena.bytes)}`))];
  if (data.stack) {
    tiles.push(summaryTile(
        'Stack (RAM)', bytes(data.stack.bound_bytes), 'at most, by analysis',
        `${bytes(data.stack.peak_bytes)} were used`));
  }
  tiles.push(summaryTile(
      'Flash', roundBytes(data.weight_bytes + (data.code_bytes || 0)), `weights ${bytes(data.weight_bytes)}`,
      data.code_bytes === null ? 'code not measured' : `code ${bytes(data.code_bytes)}`));
  tiles.push(summaryTile(
      'Work', `${compact.format(data.macs)} MAC`, number(data.macs), plural(data.layers.length, 'layer')));
  if (data.instructions !== null) {
    tiles.push(summaryTile(
        'Instructions', compact.format(data.instructions), number(data.instructions),
        data.instructions_per_mac === null ? '' : `${trim(data.instructions_per_mac)} per MAC`));
  }
  const ports =
      [...data.inputs.map(tensor => ['Input', tensor]), ...data.outputs.map(tensor => ['Output', tensor])];
  for (const [title, tensor] of ports.slice(0, 4)) {
    tiles.push(summaryTile(title, shapeText(tensor), tensor.dtype, quantisation(tensor), shortName(tensor.name)));
  }
  return tiles;
}

function stackText() {
  const {stack} = data;
  const small = stack.free_bytes < 0;
  return [
    element(
        'p', {},
        `One run on ${data.target} painted the stack and left ${
            bytes(stack.peak_bytes)} of it changed. The frames ` +
            `along the deepest chain of calls sum up to ${bytes(stack.bound_bytes)}: no run can use more.`),
    element(
        'p', {class: small ? 'no' : ''},
        small ? `A task with ${bytes(stack.size_bytes)} is ${bytes(-stack.free_bytes)} too small.` :
                `A task with ${bytes(stack.size_bytes)} keeps ${bytes(stack.free_bytes)} free above a guard of ${
                    bytes(stack.guard_bytes)}.`),
    element('p', {class: 'note'}, 'Interrupts that use the task\'s stack come on top.')
  ];
}

document.getElementById('subtitle').textContent = `for ${data.target}, optimised for ${
    data.mode === 'balanced' ? 'size and speed' : data.mode}${data.target_note ? `. ${data.target_note}` : ''}`;
document.getElementById('summary').append(...summaryTiles());
document.getElementById('colophon').textContent = `Made by Mote ${
    data.version}. Instructions, where shown, were counted in QEMU; they are not cycles. Charts: D3.`;

const names = [...data.layers.map(layer => layer.op), 'caller'].slice(0, data.arena.steps.length);
const timeline = new Timeline(
    document.getElementById('timeline'), data.arena.steps.length, names,
    [arenaTrack(data), memoryTrack(data), workTrack(data), flashTrack(data)]);
timeline.draw();
layersTable(document.querySelector('#layers .table'), data, timeline);
buffersTable(document.querySelector('#buffers .table'), data);
if (data.stack) {
  document.getElementById('stack-text').append(...stackText());
  document.getElementById('stack').hidden = false;
}
if (data.fit) {
  boardsTable(document.querySelector('#boards .table'), data.fit);
  document.getElementById('boards').hidden = false;
}
