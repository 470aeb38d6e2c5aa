// The chart of the arena: where each buffer lies and when, what runs in strips, where one memory ends.

function segmentsOf(data) {
  return data.arena.segments || [];
}

function segmentOf(data, step) {
  return segmentsOf(data).find(segment => segment.first_step <= step && step <= segment.last_step);
}

// "25 strips of rows, with steps 0 to 3"; null: the step runs once.
function stripsText(data, step) {
  const segment = segmentOf(data, step);
  return segment ?
      `${number(segment.strips)} strips of rows, with steps ${segment.first_step} to ${segment.last_step}` :
      null;
}

// {rows, of_rows} of a buffer that holds a tensor by rows only; undefined: it holds all of it.
function windowOf(data, buffer) {
  return segmentsOf(data).flatMap(segment => segment.windows).find(window => window.buffer === buffer);
}

function rowsText(data, buffer) {
  const window = windowOf(data, buffer);
  return window ? `${number(window.rows)} of ${number(window.of_rows)}` : '';
}

// Arenas with the address at which each begins in the chart; one where there is only one.
function arenasOf(data) {
  let begin = 0;
  return (data.arenas || []).map(arena => {
    begin += arena.bytes;
    return {...arena, begin: begin - arena.bytes};
  });
}

function arenaOf(data, buffer) {
  return arenasOf(data).find(arena => arena.memory === buffer.memory) || {begin: 0};
}

function describeBuffer(data, index) {
  const buffer = data.arena.buffers[index];
  const first = buffer.offset - arenaOf(data, buffer).begin;
  const rows = [
    ['tensor', longName(buffer.name)], ['kind', kinds.find(([kind]) => kind === buffer.kind)[1]],
    ['size', bytes(buffer.bytes)], ['address', `${number(first)} to ${number(first + buffer.bytes)}`],
    ['from step', stepText(data, buffer.first_step)], ['to step', stepText(data, buffer.last_step)]
  ];
  if (buffer.memory) rows.splice(3, 0, ['memory', buffer.memory]);
  if (windowOf(data, index)) rows.splice(3, 0, ['rows', `${rowsText(data, index)} at a time`]);
  for (const move of data.arena.moves || []) {
    if (move.from === index)
      rows.push(['moves to', `${number(data.arena.buffers[move.to].offset)} before step ${move.step}`]);
    if (move.to === index) rows.push(['moved from', number(data.arena.buffers[move.from].offset)]);
  }
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
      ['written over', shortName(input.name)],
      [shared.last_step > shared.step ? 'which dies by rows' : 'which dies here', `${bytes(shared.bytes)} shared`],
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

function arenaNote(data) {
  const {buffers, shared} = data.arena;
  const places = shared.length === 0 ?
      '' :
      ` In ${plural(shared.length, 'place')} an output is written over an input that dies.`;
  const segments = segmentsOf(data).length === 0 ?
      '' :
      ' Steps in a frame run in turn, strip after strip of rows; what is ruled holds only some rows of its tensor.';
  const arenas = arenasOf(data).length < 2 ?
      '' :
      ` Memories: ${arenasOf(data).map(arena => `${arena.memory} ${bytes(arena.bytes)}`).join(', ')}.`;
  return `${plural(buffers.length, 'buffer')} in ${
      bytes(data.arena_bytes)}. Two that stand at the same height one after the other use the same memory.${
      places}${segments}${arenas}`;
}

function arenaTrack(data) {
  const {buffers, shared} = data.arena;
  const used = kinds.filter(([kind]) => buffers.some(buffer => buffer.kind === kind));
  const marks =
      [
        [shared.length > 0, 'shared', 'permitted overlap: an output written over its dying input'],
        [segmentsOf(data).length > 0, 'window', 'by rows only'],
        [segmentsOf(data).length > 0, 'segment', 'steps that run in strips'],
        [(data.arena.moves || []).length > 0, 'move', 'a tensor moves'],
        [arenasOf(data).length > 1, 'divide', 'where a memory ends']
      ].filter(([shown]) => shown)
          .map(([, shape, text]) => [shape, text]);
  return {
    title: 'Arena: address over time',
    height: width => Math.min(420, Math.max(280, Math.round(width / 3))),
    most: data.arena_bytes,
    ticks: byteTicks(data.arena_bytes),
    format: roundBytes,
    names: true,
    legend: [...used, ...marks],
    note: arenaNote(data),
    draw: (plot, x, y) => drawArena(plot, x, y, data),
    describe: (column, datum, plot) => describeArena(data, column, datum, plot),
  };
}

function describeArena(data, column, datum, plot) {
  const {shared} = data.arena;
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
  drawSegments(plot, x, y, data);
  const left = buffer => x(buffer.first_step) + 0.5, right = buffer => x(buffer.last_step + 1) - 0.5;
  const items =
      buffers.map((buffer, index) => ({buffer: index, ...boxOf(left(buffer), right(buffer), buffer, y)}));
  plot.append('g').selectAll('rect').data(items).enter().append('rect').call(setBox).attr(
      'class', item => `buffer ${buffers[item.buffer].kind}${windowOf(data, item.buffer) ? ' window' : ''}`);
  drawRows(plot, items, data);
  const overlaps =
      shared.map(pair => ({shared: pair, ...boxOf(x(pair.step) + 0.5, x(pair.last_step + 1) - 0.5, pair, y)}));
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
  drawMoves(plot, x, y, data);
  const signs = drawMemories(plot, x, y, data);
  drawLabels(
      plot, items.map(item => ({...item, ...labelOf(buffers[item.buffer], item.buffer, data)})),
      [...overlaps, ...signs]);
}

// A frame around the columns of each segment, behind the buffers, with the number of its strips.
function drawSegments(plot, x, y, data) {
  const [bottom, top] = y.range();
  const frames = plot.append('g').selectAll('g').data(segmentsOf(data)).enter().append('g');
  frames.append('rect')
      .attr('class', 'segment')
      .attr('x', segment => x(segment.first_step))
      .attr('width', segment => x(segment.last_step + 1) - x(segment.first_step))
      .attr('y', top)
      .attr('height', bottom - top);
  frames.append('text')
      .attr('class', 'strips')
      .attr('x', segment => x(segment.first_step) + 2)
      .attr('y', top - 2)
      .text(segment => {
        const width = x(segment.last_step + 1) - x(segment.first_step);
        const text = plural(segment.strips, 'strip');
        return text.length * letterWidth <= width ? text : `${segment.strips}×`;
      });
}

// The rows of each window, one line between two, as far as they can be told apart.
function drawRows(plot, items, data) {
  const leastHeight = 3;
  const lines = items.flatMap(item => {
    const {rows} = windowOf(data, item.buffer) || {rows: 0};
    const height = item.height / Math.max(rows, 1);
    if (height < leastHeight) return [];
    return d3.range(1, rows).map(row => ({...item, row: item.top + row * height}));
  });
  plot.append('g')
      .selectAll('line')
      .data(lines)
      .enter()
      .append('line')
      .attr('class', 'row')
      .attr('x1', line => line.left)
      .attr('x2', line => line.left + line.width)
      .attr('y1', line => line.row)
      .attr('y2', line => line.row);
}

// An arrow between two columns from where a tensor was to where it goes on.
function drawMoves(plot, x, y, data) {
  const middle = buffer => y(buffer.offset + buffer.bytes / 2);
  const {buffers} = data.arena;
  plot.append('g')
      .selectAll('path')
      .data(data.arena.moves || [])
      .enter()
      .append('path')
      .attr('class', 'move')
      .attr('d', move => {
        const [from, to] = [middle(buffers[move.from]), middle(buffers[move.to])];
        const tip = to < from ? 6 : -6;
        return `M${x(move.step)} ${from}V${to}m-4 ${tip}l4 ${- tip}l4 ${tip}`;
      });
}

// A line where one memory ends and the next begins; each memory's name stands at its upper end on the right.
// Returns the boxes of the names.
function drawMemories(plot, x, y, data) {
  const arenas = arenasOf(data);
  if (arenas.length < 2) return [];
  const [begin, end] = x.range();
  const lines = plot.append('g').selectAll('line').data(arenas.slice(1)).enter().append('line');
  lines.attr('class', 'divide')
      .attr('x1', begin)
      .attr('x2', end)
      .attr('y1', arena => y(arena.begin))
      .attr('y2', arena => y(arena.begin));
  return arenas.map(arena => {
    const width = letterWidth * arena.memory.length + 8;
    const box = {left: end - width, top: y(arena.begin + arena.bytes) + 1, width, height: lineHeight + 2};
    plot.append('rect').attr('class', 'memory').call(selection => setBox(selection.datum(box)));
    plot.append('text')
        .attr('class', 'memory')
        .attr('x', box.left + 4)
        .attr('y', box.top + lineHeight - 2)
        .text(arena.memory);
    return box;
  });
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

// The operator that wrote the buffer, and its size or its rows.
function labelOf(buffer, index, data) {
  const writer = data.layers[buffer.writer === null ? buffer.first_step : buffer.writer];
  const named = buffer.kind === 'input' || buffer.kind === 'state' || !writer;
  return {
    text: named                   ? shortName(buffer.name) :
        buffer.kind === 'scratch' ? 'scratch' :
                                    writer.op,
    size: windowOf(data, index) ? `${rowsText(data, index)} rows` : roundBytes(buffer.bytes)
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
