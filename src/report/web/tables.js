// Tables that sort by any column.

// `columns`: {label, value(row), text(row), more(row), kind: 'number' | 'wide' | undefined, meter: most}.
function sortableTable(container, columns, rows, onRow) {
  const head = element('tr', {});
  const body = element('tbody', {});
  let sorted = null, ascending = true;

  const fillBody = order => {
    body.replaceChildren(...order.map(row => {
      const line = element('tr', {}, ...columns.map(column => cell(column, row)));
      if (onRow) onRow(line, row);
      return line;
    }));
  };
  const sortBy = (column, title) => {
    // Numbers are looked through from the largest, text from A.
    ascending = sorted === column ? !ascending : !(column.kind || '').startsWith('number');
    sorted = column;
    for (const other of head.children) other.removeAttribute('aria-sort');
    title.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
    const order = [...rows].sort((a, b) => compare(column.value(a), column.value(b)));
    fillBody(ascending ? order : order.reverse());
  };
  for (const column of columns) {
    const button = element('button', {type: 'button'}, column.label);
    const title = element('th', {scope: 'col', class: column.kind}, button);
    button.addEventListener('click', () => sortBy(column, title));
    head.append(title);
  }
  fillBody(rows);
  container.replaceChildren(element('table', {}, element('thead', {}, head), body));
}

function compare(a, b) {
  return typeof a === 'number' ? a - b : String(a).localeCompare(String(b));
}

function cell(column, row) {
  const made =
      element('td', {class: column.kind, 'data-label': column.label, 'data-step': row.step}, column.text(row));
  if (column.mark) made.classList.add(column.mark(row));
  const more = column.more ? column.more(row) : '';
  if (more) made.append(element('small', {}, more));
  if (column.meter > 0 && column.value(row) > 0) {
    made.append(element(
        'span', {class: 'meter', style: `width: ${Math.max(2, 100 * column.value(row) / column.meter)}%`}));
  }
  return made;
}

function numberColumn(label, value, rows) {
  return {
    label,
    value,
    kind: 'number',
    meter: Math.max(0, ...rows.map(value)),
    text: row => value(row) === 0 ? '' : number(value(row))
  };
}

// What is kept of the layer's output, if not all of it.
function keptRows(data, row) {
  const segment = segmentOf(data, row.step);
  const kept = segment && segment.windows.find(window => window.step === row.step);
  return kept ? `keeps ${number(kept.rows)} of ${number(kept.of_rows)} rows` : '';
}

// A layer's own code, and which shared code it runs, which counts for none.
function codeColumn(data) {
  const shared = row => data.shared_code.find(code => code.name === row.shared_kernel);
  return {
    label: 'Code B',
    value: row => row.code_bytes || 0,
    kind: 'number',
    text: row => row.code_bytes !== null ? number(row.code_bytes) :
        shared(row)                      ? 'shared' :
                                           '',
    more: row => shared(row) ? `${bytes(shared(row).code_bytes)} for ${shared(row).layers.length} layers` : ''
  };
}

function layersTable(container, data, timeline) {
  const rows = data.layers.map((layer, step) => ({...layer, step}));
  const columns = [
    {label: 'Step', value: row => row.step, text: row => String(row.step), kind: 'number step'}, {
      label: 'Layer',
      value: row => layerName(row),
      text: row => `${row.op} ${shortName(layerName(row))}`,
      more: row => [row.parameters, row.kernel].filter(text => text).join(' · '),
      kind: 'wide'
    },
    numberColumn('MAC', row => row.macs, rows)
  ];
  if (rows.some(row => row.instructions !== null)) {
    columns.push(numberColumn('Instructions', row => row.instructions, rows));
    columns.push({
      label: 'per MAC',
      value: row => row.macs > 0 ? row.instructions / row.macs : 0,
      kind: 'number',
      text: row => row.macs > 0 ? trim(row.instructions / row.macs) : ''
    });
  }
  columns.push(numberColumn('Weights B', row => row.weight_bytes, rows));
  if (rows.some(row => row.table_bytes > 0)) columns.push(numberColumn('Tables B', row => row.table_bytes, rows));
  if (data.shared_code !== null) columns.push(codeColumn(data));
  if (rows.some(row => row.stack_bytes !== null))
    columns.push(numberColumn('Stack B', row => row.stack_bytes, rows));
  if (segmentsOf(data).length > 0) {
    const strips = row => segmentOf(data, row.step) ? segmentOf(data, row.step).strips : 0;
    columns.push({
      label: 'Strips',
      value: strips,
      kind: 'number',
      text: row => strips(row) > 0 ? number(strips(row)) : '',
      more: row => keptRows(data, row)
    });
  }
  columns.push(
      numberColumn('Arena B', row => data.arena.steps[row.step].bytes, rows), {
        label: 'Output',
        value: row => d3.sum(row.outputs, output => output.bytes),
        text: row => row.outputs.map(tensorType).join(', '),
        more: row => row.outputs.map(quantisation).join(', ')
      },
      {
        label: 'Constants',
        value: row => d3.sum(row.constants, constant => constant.bytes),
        text: row => row.constants.map(tensorType).join(', '),
        more: row => row.constants.filter(constant => constant.quantisation).slice(0, 1).map(quantisation).join('')
      });
  sortableTable(container, columns, rows, (line, row) => {
    line.addEventListener('pointerenter', () => timeline.mark(row.step));
    line.addEventListener('pointerleave', () => timeline.mark(null));
  });
}

function buffersTable(container, data) {
  const rows = data.arena.buffers.map((buffer, index) => ({...buffer, index}));
  const shares = row => data.arena.shared.filter(pair => pair.input === row.index || pair.output === row.index);
  sortableTable(
      container,
      [
        {label: 'Buffer', value: row => row.name, text: row => shortName(row.name), kind: 'wide'},
        {label: 'Kind', value: row => row.kind, text: row => row.kind},
        {label: 'Bytes', value: row => row.bytes, text: row => number(row.bytes), kind: 'number'},
        ...(segmentsOf(data).length > 0 ?
                [
                  {label: 'Rows', value: row => rowsText(data, row.index), text: row => rowsText(data, row.index)}
                ] :
                []),
        ...(arenasOf(data).length > 1 ? [{label: 'Memory', value: row => row.memory, text: row => row.memory}] :
                                        []),
        {
          label: 'Address',
          value: row => row.offset,
          text: row => number(row.offset - arenaOf(data, row).begin),
          kind: 'number'
        },
        {label: 'First step', value: row => row.first_step, text: row => number(row.first_step), kind: 'number'},
        {label: 'Last step', value: row => row.last_step, text: row => number(row.last_step), kind: 'number'}, {
          label: 'Shares bytes with',
          value: row => shares(row).length,
          text: row => shares(row)
                           .map(pair => {
                             const other = data.arena.buffers[pair.input === row.index ? pair.output : pair.input];
                             return `${shortName(other.name)} (${bytes(pair.bytes)} in step ${pair.step})`;
                           })
                           .join(', ')
        }
      ],
      rows);
}

function milliseconds(value) {
  if (value >= 1000) return `${trim(value / 1000)} s`;
  return value >= 1 ? `${trim(value)} ms` : `${trim(value * 1000)} µs`;
}

// All memories of a board together; what is missing or spread over several stands below.
function ramText(row) {
  const used = d3.sum(row.ram, memory => memory.used_bytes),
        capacity = d3.sum(row.ram, memory => memory.capacity_bytes);
  return `${roundBytes(used)} of ${roundBytes(capacity)}`;
}

function ramNote(row) {
  if (row.ram_missing_bytes > 0) return `${bytes(row.ram_missing_bytes)} too many`;
  return row.ram.length < 2 ?
      '' :
      row.ram.map(memory => `${memory.memory} ${roundBytes(memory.used_bytes)}`).join(', ');
}

// What was computed to make it fit, the first that does.
function remedy(row) {
  if (row.verdict === 'fits') return '';
  const found = row.alternatives.find(other => other.verdict === 'fits') ||
      row.alternatives.find(other => other.verdict === 'tight');
  if (found)
    return `${found.what}: ${found.verdict}, ${ramText(found)} RAM, ${roundBytes(found.flash_bytes)} flash`;
  return row.verdict === 'tight' ? '' : 'a smaller network or input';
}

// The object that `mote fit --json` prints.
function boardsTable(container, fit) {
  const verdicts = ['fits', 'tight', 'does not fit'];
  sortableTable(
      container,
      [
        {
          label: 'Board',
          value: row => row.board,
          text: row => row.board,
          more: row => row.description,
          kind: 'wide'
        },
        {
          label: 'Verdict',
          value: row => verdicts.indexOf(row.verdict),
          text: row => row.answer,
          mark: row => row.answer === row.verdict ? ['yes', 'near', 'no'][verdicts.indexOf(row.verdict)] : 'near'
        },
        {label: 'RAM', value: row => d3.sum(row.ram, memory => memory.used_bytes), text: ramText, more: ramNote}, {
          label: 'Flash',
          value: row => row.flash_bytes,
          text: row => `${roundBytes(row.flash_bytes)} of ${roundBytes(row.flash_capacity_bytes)}`,
          more: row => row.flash_missing_bytes > 0 ? `${bytes(row.flash_missing_bytes)} too many` : ''
        },
        {
          label: 'Time, estimated',
          value: row => row.milliseconds,
          kind: 'number',
          text: row => milliseconds(row.milliseconds),
          more: row => `${trim(row.clock_hz / 1e6)} MHz, ${trim(row.cycles_per_instruction)} cycles an instruction`
        },
        {label: 'Would fit as', value: remedy, text: remedy}
      ],
      fit.boards);
}
