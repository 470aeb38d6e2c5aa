// Charts over the same columns, one a step: they share the width, the marked column and the tooltip.

const axisWidth = 62, rightMargin = 10, topMargin = 10;
const leastColumn = 7;   // pixels; narrower columns make the charts scroll sideways
const namedColumn = 15;  // pixels; from here on the columns carry the names of their operators

class Timeline {
  // `tracks`: {title, note, legend, height(width), most, format, ticks, names, draw(plot, x, y),
  // describe(column, datum, plot)}.
  constructor(container, columns, names, tracks) {
    Object.assign(this, {container, columns, names, tracks, width: 0});
    new ResizeObserver(() => this.draw()).observe(container);
    document.addEventListener('pointerdown', event => {
      if (!container.contains(event.target)) this.leave();
    });
  }

  draw() {
    const width = this.container.clientWidth;
    if (width === this.width) return;
    this.width = width;
    const inner = Math.max(width - axisWidth - rightMargin, this.columns * leastColumn);
    this.x = d3.scaleLinear().domain([0, this.columns]).range([0, inner]);
    const named = this.x(1) >= namedColumn;
    this.container.replaceChildren(...this.tracks.flatMap(track => this.drawTrack(track, inner, named)));
  }

  drawTrack(track, inner, named) {
    const heading = element(
        'div', {class: 'heading', style: `width: ${this.width}px`}, element('h3', {}, track.title),
        element('p', {}, track.note));
    if (track.legend) heading.append(legend(track.legend));
    const bottom = !track.names ? 6 : named ? 108 : 22;
    const tall = track.height(this.width);
    const height = topMargin + tall + bottom;
    const y = d3.scaleLinear().domain([0, Math.max(track.most, 1)]).range([topMargin + tall, topMargin]);
    const row = element('div', {class: 'track'});
    const axis =
        d3.select(row).append('svg').attr('class', 'axis').attr('width', axisWidth).attr('height', height);
    axis.attr('aria-hidden', 'true')
        .append('g')
        .attr('transform', `translate(${axisWidth - 1}, 0)`)
        .call(d3.axisLeft(y).tickValues(track.ticks).tickFormat(track.format).tickSizeOuter(0));
    const plot = d3.select(row)
                     .append('svg')
                     .attr('class', 'plot')
                     .attr('width', inner + rightMargin)
                     .attr('height', height)
                     .attr('role', 'img')
                     .attr('aria-label', `${track.title}. ${track.note}`);
    plot.append('g')
        .attr('class', 'grid')
        .selectAll('line')
        .data(track.ticks)
        .enter()
        .append('line')
        .attr('x2', inner)
        .attr('y1', y)
        .attr('y2', y);
    track.draw(plot, this.x, y);
    if (track.names) this.drawNames(plot, topMargin + tall, named);
    plot.append('rect')
        .attr('class', 'column')
        .attr('y', topMargin)
        .attr('height', tall)
        .attr('width', this.x(1))
        .style('display', 'none');
    this.listen(plot.node(), track);
    return [heading, row];
  }

  // Operators' names, upright to save width; where there is no room every tenth step's number.
  drawNames(plot, top, named) {
    const axis = plot.append('g').attr('transform', `translate(0, ${top})`);
    if (!named) {
      const spread = this.columns > 40 ? 10 : 5;
      // A step's number stands under the middle of its column.
      axis.attr('transform', `translate(${this.x(0.5)}, ${top})`)
          .call(d3.axisBottom(this.x).tickValues(d3.range(0, this.columns, spread)).tickFormat(d3.format('d')));
      axis.select('.domain').remove();
      return;
    }
    axis.selectAll('text')
        .data(this.names)
        .enter()
        .append('text')
        .attr('text-anchor', 'end')
        .attr('dy', '0.35em')
        .attr('transform', (_, step) => `translate(${this.x(step + 0.5)}, 6) rotate(-90)`)
        .text(name => name.length > 14 ? `${name.slice(0, 13)}…` : name);
  }

  listen(plot, track) {
    const point = event => {
      const along = event.clientX - plot.getBoundingClientRect().left;
      const column = Math.min(this.columns - 1, Math.max(0, Math.floor(this.x.invert(along))));
      this.mark(column);
      const {title, rows} = track.describe(column, d3.select(event.target).datum(), plot);
      showTooltip(event, title, rows);
    };
    plot.addEventListener('pointermove', point);
    plot.addEventListener('pointerdown', point);
    plot.addEventListener('pointerleave', event => {
      if (event.pointerType !== 'touch') this.leave();
    });
  }

  // Marks a step's column in every chart; null: none.
  mark(column) {
    d3.select(this.container)
        .selectAll('rect.column')
        .style('display', column === null ? 'none' : null)
        .attr('x', this.x(column || 0));
  }

  leave() {
    this.mark(null);
    d3.select(this.container).selectAll('.chosen').classed('chosen', false);
    hideTooltip();
  }
}

// `entries`: [class of a rect or path, text].
function legend(entries) {
  const list = element('ul', {class: 'legend'});
  for (const [shape, text] of entries) {
    const item = element('li', {});
    const swatch = d3.select(item).append('svg').attr('aria-hidden', 'true');
    if (['least', 'ceiling', 'divide', 'move'].includes(shape)) {
      swatch.append('path').attr('class', shape).attr('d', 'M0 6H18');
    } else {
      swatch.append('rect')
          .attr('class', shape)
          .attr('x', 1)
          .attr('y', 1)
          .attr('width', 16)
          .attr('height', 10)
          .attr('fill', shape === 'shared' ? 'url(#hatch)' : null);
    }
    item.append(text);
    list.append(item);
  }
  return list;
}
