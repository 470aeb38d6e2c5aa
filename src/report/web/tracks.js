// The charts of the timeline below the arena: memory in use, work, flash; and what they say about a step.

const kinds = [
  ['input', 'input'], ['activation', 'between layers'], ['scratch', 'scratch of one layer'],
  ['state', 'state, kept from run to run'], ['output', 'output']
];

function stepText(data, step) {
  return step < data.layers.length ? `${step} ${data.layers[step].op}` : `${step} (the caller reads the outputs)`;
}

function describeStep(data, step, rows) {
  const layer = data.layers[step];
  if (!layer) return {title: 'After the last step: the caller reads the outputs', rows};
  const strips = stripsText(data, step);
  return {
    title: `Step ${step}: ${layer.op}, ${shortName(layerName(layer))}`,
    rows: strips ? [['runs in', strips], ...rows] : rows
  };
}

function memoryRows(data, column) {
  const step = data.arena.steps[column];
  return [
    ['in use', `${bytes(step.bytes)}, ${percent(step.bytes, data.arena_bytes)} of the arena`],
    ['least possible', bytes(step.lower_bound_bytes)]
  ];
}

// A line that keeps its height for the width of a column.
function stairs(values, x, y) {
  return values.map((value, step) => `${step === 0 ? 'M' : 'L'}${x(step)} ${y(value)}H${x(step + 1)}`).join('');
}

function boundNote(data) {
  const [arena, least] = [data.arena_bytes, data.arena_lower_bound_bytes];
  if (arenasOf(data).length > 1)
    return `The arenas take ${bytes(arena)} together; one for everything would take ${bytes(least)} at least.`;
  if (arena === least)
    return `The arena of ${bytes(arena)} meets the lower bound: in this order of steps no plan is smaller.`;
  return `The arena of ${bytes(arena)} lies ${bytes(arena - least)} (${
      percent(arena - least, least)}) above the lower bound of ${bytes(least)}.`;
}

function memoryTrack(data) {
  const {steps} = data.arena;
  return {
    title: 'Memory in use',
    height: () => 110,
    most: data.arena_bytes,
    ticks: byteTicks(data.arena_bytes, 3),
    format: roundBytes,
    legend: [['use', 'bytes in use'], ['least', 'least possible in the step'], ['ceiling', 'arena']],
    note: boundNote(data),
    draw: (plot, x, y) => {
      const used = steps.map(step => step.bytes), least = steps.map(step => step.lower_bound_bytes);
      plot.append('path').attr('class', 'use').attr('d', `${stairs(used, x, y)}V${y(0)}H0Z`);
      plot.append('path').attr('class', 'least').attr('d', stairs(least, x, y));
      plot.append('path').attr('class', 'ceiling').attr('d', `M0 ${y(data.arena_bytes)}H${x(steps.length)}`);
    },
    describe: column => describeStep(data, column, memoryRows(data, column)),
  };
}

// Bars in a step's column, one upon the other. `parts`: [class, one value a layer].
function drawBars(plot, x, y, layers, parts) {
  const gap = x(1) > 6 ? 2 : 1;
  for (let step = 0; step < layers; ++step) {
    let below = 0;
    for (const [shape, values] of parts) {
      const top = y(below + values[step]);
      plot.append('rect')
          .attr('class', `bar ${shape}`)
          .attr('x', x(step) + gap / 2)
          .attr('width', x(1) - gap)
          .attr('y', top)
          .attr('height', y(below) - top);
      below += values[step];
    }
  }
}

function countTicks(most) {
  return d3.scaleLinear().domain([0, Math.max(most, 1)]).ticks(3);
}

function workRows(data, layer) {
  const rows = [['MAC', `${number(layer.macs)}, ${percent(layer.macs, data.macs)}`]];
  if (layer.instructions !== null) {
    rows.unshift(
        ['instructions', `${number(layer.instructions)}, ${percent(layer.instructions, data.instructions)}`]);
    if (layer.macs > 0) rows.push(['instructions per MAC', trim(layer.instructions / layer.macs)]);
  }
  return rows;
}

function workTrack(data) {
  const measured = data.layers.some(layer => layer.instructions !== null);
  const values = data.layers.map(layer => measured ? layer.instructions : layer.macs);
  const most = Math.max(0, ...values);
  const total = measured ? `${number(data.instructions)} instructions, counted in QEMU; they are not cycles.` :
                           `${number(data.macs)} multiply-accumulates.`;
  return {
    title: measured ? 'Instructions by layer' : 'Multiply-accumulates by layer',
    height: () => 90,
    most,
    ticks: countTicks(most),
    format: value => compact.format(value),
    note: total,
    draw: (plot, x, y) => drawBars(plot, x, y, data.layers.length, [['first', values]]),
    describe: column => describeStep(data, column, data.layers[column] ? workRows(data, data.layers[column]) : []),
  };
}

function flashRows(data, layer) {
  const rows = [['weights', bytes(layer.weight_bytes)]];
  if (layer.table_bytes > 0) rows.push(['tables', bytes(layer.table_bytes)]);
  if (layer.code_bytes !== null) rows.push(['code of its own', bytes(layer.code_bytes)]);
  if (layer.shared_kernel !== null) {
    const shared = data.shared_code.find(code => code.name === layer.shared_kernel);
    rows.push([`code shared by ${shared.layers.length} layers`, bytes(shared.code_bytes)]);
  }
  return rows;
}

function flashTrack(data) {
  const code = data.code_bytes !== null;
  const parts = [
    ['first', data.layers.map(layer => layer.weight_bytes), 'weights'],
    ['second', data.layers.map(layer => layer.table_bytes), 'tables'],
    ['third', data.layers.map(layer => layer.code_bytes || 0), 'code of its own']
  ].filter(([, values]) => values.some(value => value > 0));
  const most = Math.max(0, ...data.layers.map((_, step) => d3.sum(parts, ([, values]) => values[step])));
  return {
    title: 'Flash by layer',
    height: () => 90,
    most,
    ticks: byteTicks(most, 3),
    format: roundBytes,
    names: true,
    legend: parts.map(([shape, , text]) => [shape, text]),
    note: `${bytes(data.weight_bytes)} of weights${
        code ? ` and ${bytes(data.code_bytes)} of code and tables, of which ${
                   bytes(data.common_code_bytes)} serve more than one layer` :
               '; code is known once it is measured'}.`,
    draw: (plot, x, y) => drawBars(plot, x, y, data.layers.length, parts),
    describe: column =>
        describeStep(data, column, data.layers[column] ? flashRows(data, data.layers[column]) : []),
  };
}
