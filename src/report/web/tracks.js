// The charts of the timeline: arena, memory in use, work, flash.

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
  return {title: `Step ${step}: ${layer.op}, ${shortName(layerName(layer))}`, rows};
}

function describeBuffer(data, index) {
  const buffer = data.arena.buffers[index];
  const rows = [
    ['tensor', longName(buffer.name)], ['kind', kinds.find(([kind]) => kind === buffer.kind)[1]],
    ['size', bytes(buffer.bytes)],
    ['address', `${number(buffer.offset)} to ${number(buffer.offset + buffer.bytes)}`],
    ['from step', stepText(data, buffer.first_step)], ['to step', stepText(data, buffer.last_step)]
  ];
  for (const shared of data.arena.shared) {
    if (shared.input !== index && shared.output !== index) continue;
    const other = data.arena.buffers[shared.input === index ? shared.output : shared.input];
    rows.push(
        [shared.input === index ? 'gives to' : 'takes from', `${shortName(other.name)}: ${bytes(shared.bytes)}`]);
  }
  return {title: shortName(buffer.name), rows};
}

function describeShared(data, shared) {
  const [output, input] = [data.arena.buffers[shared.output], data.arena.buffers[shared.input]];
  return {
    title: 'A permitted overlap',
    rows: [
      ['in step', stepText(data, shared.step)], ['output', shortName(output.name)],
      ['written over', shortName(input.name)], ['which dies here', `${bytes(shared.bytes)} shared`],
      [
        'allowed',
        `the output may begin ${bytes(Math.abs(shared.distance_bytes))} ${
            shared.distance_bytes < 0 ? 'below' : 'above'} the input's begin, or lower`
      ],
      [
        'placed',
        `${bytes(Math.abs(output.offset - input.offset))} ${output.offset > input.offset ? 'above' : 'below'}`
      ]
    ]
  };
}

function arenaTrack(data) {
  const {buffers, shared} = data.arena;
  const used = kinds.filter(([kind]) => buffers.some(buffer => buffer.kind === kind));
  const inPlace =
      shared.length > 0 ? [['shared', 'permitted overlap: an output written over its dying input']] : [];
  return {
    title: 'Arena: address over time',
    height: width => Math.min(420, Math.max(280, Math.round(width / 3))),
    most: data.arena_bytes,
    ticks: byteTicks(data.arena_bytes),
    format: roundBytes,
    names: true,
    legend: [...used, ...inPlace],
    note: `${plural(buffers.length, 'buffer')} in ${
              bytes(data.arena_bytes)}. Two that stand at the same height one after the ` +
        `other use the same memory.${
              shared.length > 0 ? ` In ${plural(shared.length, 'place')} an output is written over an ` +
                      'input that dies.' :
                                  ''}`,
    draw: (plot, x, y) => drawArena(plot, x, y, data),
    describe: (column, datum, plot) => {
      d3.select(plot).classed('chosen', false).selectAll('rect.buffer').classed('chosen', false);
      if (datum && datum.buffer !== undefined) {
        const pairs = shared.filter(pair => pair.input === datum.buffer || pair.output === datum.buffer);
        choose(plot, [datum.buffer], pairs.flatMap(pair => [pair.input, pair.output]));
        return describeBuffer(data, datum.buffer);
      }
      if (datum && datum.shared) {
        choose(plot, [datum.shared.input, datum.shared.output], []);
        return describeShared(data, datum.shared);
      }
      return describeStep(data, column, memoryRows(data, column));
    },
  };
}

// Emphasises buffers and those they share bytes with.
function choose(plot, chosen, partners) {
  d3.select(plot)
      .classed('chosen', true)
      .selectAll('rect.buffer')
      .classed('chosen', datum => chosen.includes(datum.buffer))
      .classed('partner', datum => partners.includes(datum.buffer));
}

function drawArena(plot, x, y, data) {
  const {buffers, shared} = data.arena;
  plot.append('defs')
      .append('pattern')
      .attr('id', 'hatch')
      .attr('width', 5)
      .attr('height', 5)
      .attr('patternUnits', 'userSpaceOnUse')
      .attr('patternTransform', 'rotate(45)')
      .append('path')
      .attr('class', 'hatch')
      .attr('d', 'M0 0V5');
  const left = buffer => x(buffer.first_step) + 0.5, right = buffer => x(buffer.last_step + 1) - 0.5;
  const items =
      buffers.map((buffer, index) => ({buffer: index, ...boxOf(left(buffer), right(buffer), buffer, y)}));
  plot.append('g').selectAll('rect').data(items).enter().append('rect').call(setBox).attr(
      'class', item => `buffer ${buffers[item.buffer].kind}`);
  const overlaps =
      shared.map(pair => ({shared: pair, ...boxOf(x(pair.step) + 0.5, x(pair.step + 1) - 0.5, pair, y)}));
  // The output's box covers the input's: the shared bytes show the input's colour again.
  plot.append('g').selectAll('rect').data(overlaps).enter().append('rect').call(setBox).attr(
      'class', item => `under ${buffers[item.shared.input].kind}`);
  plot.append('g')
      .selectAll('rect')
      .data(overlaps)
      .enter()
      .append('rect')
      .call(setBox)
      .attr('class', 'shared')
      .attr('fill', 'url(#hatch)');
  drawLabels(plot, items.map(item => ({...item, ...labelOf(buffers[item.buffer], data)})), overlaps);
}

function boxOf(left, right, range, y) {
  const top = y(range.offset + range.bytes), bottom = y(range.offset);
  return {left, top, width: Math.max(1, right - left), height: Math.max(1, bottom - top)};
}

function setBox(selection) {
  selection.attr('x', item => item.left)
      .attr('y', item => item.top)
      .attr('width', item => item.width)
      .attr('height', item => item.height);
}

// The operator that wrote the buffer, and its size.
function labelOf(buffer, data) {
  const writer = data.layers[buffer.first_step];
  const named = buffer.kind === 'input' || buffer.kind === 'state' || !writer;
  return {
    text: named                   ? shortName(buffer.name) :
        buffer.kind === 'scratch' ? 'scratch' :
                                    writer.op,
    size: roundBytes(buffer.bytes)
  };
}

const letterWidth = 6.8, lineHeight = 13;

// Labels stand in a corner of their box where they meet neither shared bytes nor another label, or are left out.
function drawLabels(plot, items, overlaps) {
  const taken = overlaps.slice();
  const free = box => !taken.some(
      other => box.left < other.left + other.width && other.left < box.left + box.width &&
          box.top < other.top + other.height && other.top < box.top + box.height);
  const texts = plot.append('g');
  const place = (item, lines) => {
    const letters = Math.floor((item.width - 6) / letterWidth);
    const cut = lines.map(line => line.length > letters ? `${line.slice(0, letters - 1)}…` : line);
    const size = {
      width: letterWidth * Math.max(...cut.map(line => line.length)) + 6,
      height: lineHeight * lines.length + 3
    };
    if (letters < 4 || item.height < size.height || lines.length > 1 && lines[1].length > letters) return false;
    const [right, bottom] = [item.left + item.width - size.width, item.top + item.height - size.height];
    const box = [[item.left, item.top], [right, item.top], [item.left, bottom], [right, bottom]]
                    .map(([left, top]) => ({left, top, ...size}))
                    .find(free);
    if (!box) return false;
    taken.push(box);
    cut.forEach(
        (line, row) => texts.append('text')
                           .attr('class', row === 0 ? 'name' : 'name bytes')
                           .attr('x', box.left + 4)
                           .attr('y', box.top + lineHeight * (row + 1) - 2)
                           .text(line));
    return true;
  };
  for (const item of items) place(item, [item.text, item.size]) || place(item, [item.text]);
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

function memoryTrack(data) {
  const {steps} = data.arena;
  const exact = data.arena_bytes === data.arena_lower_bound_bytes;
  const above = data.arena_bytes - data.arena_lower_bound_bytes;
  return {
    title: 'Memory in use',
    height: () => 110,
    most: data.arena_bytes,
    ticks: byteTicks(data.arena_bytes, 3),
    format: roundBytes,
    legend: [['use', 'bytes in use'], ['least', 'least possible in the step'], ['ceiling', 'arena']],
    note: exact ? `The arena of ${
                      bytes(data.arena_bytes)} meets the lower bound: in this order of steps no plan is smaller.` :
                  `The arena of ${bytes(data.arena_bytes)} lies ${bytes(above)} (${
                      percent(above, data.arena_lower_bound_bytes)}) above the lower bound of ${
                      bytes(data.arena_lower_bound_bytes)}.`,
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

function flashRows(layer) {
  const rows = [['weights', bytes(layer.weight_bytes)]];
  if (layer.table_bytes > 0) rows.push(['tables', bytes(layer.table_bytes)]);
  if (layer.code_bytes !== null) rows.push(['code of its own', bytes(layer.code_bytes)]);
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
    describe: column => describeStep(data, column, data.layers[column] ? flashRows(data.layers[column]) : []),
  };
}
