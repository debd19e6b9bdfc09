"use strict";
// What makes a page's charts interactive. Without it the page has still pictures and
// tables.
(() => {
	const root = document.documentElement;
	const dark = matchMedia("(prefers-color-scheme: dark)"), paper = matchMedia("print");
	const format = new Intl.NumberFormat("en-US", {maximumFractionDigits: 2});
	const number = v => format.format(v).replace(/^-0$/, "0");
	const utc = ms => new Date(ms).toISOString().replace("T", " ").slice(0, -5);
	const charts = [];

	// The steps between the times at an axis, in milliseconds. They are whole parts or
	// whole numbers of days, so that midnight in UTC is among them.
	const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
	const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
		[1, 2, 5, 10, 15, 30].map(n => n * second), [1, 2, 5, 10, 15, 30].map(n => n * minute),
		[1, 2, 3, 4, 6, 12].map(n => n * hour), [1, 2, 3, 5, 10, 15, 30, 60, 90, 180, 365, 730, 1825, 3650].map(n => n * day));

	// The steps between the values at an axis are whole, since the values are counts.
	const counts = [1, 2, 5];
	for (let power = 10; power <= 1e15; power *= 10)
		counts.push(power, 2 * power, 2.5 * power, 5 * power);

	// times writes the times at an axis: the clock, and the date where it changes.
	function times(u, splits, axis, space, step) {
		let before = "";
		return splits.map(ms => {
			const [date, rest] = new Date(ms).toISOString().split("T");
			if (step >= day)
				return date;
			const clock = rest.slice(0, step >= minute ? 5 : step >= second ? 8 : 12);
			const text = date === before ? clock : clock + "\n" + date;
			before = date;
			return text;
		});
	}

	// blend mixes two colours of six digits; share is that of the first.
	function blend(a, b, share) {
		const part = (c, i) => parseInt(c.slice(i, i + 2), 16);
		return "rgb(" + [1, 3, 5].map(i => Math.round(part(a, i) * share + part(b, i) * (1 - share))).join(",") + ")";
	}

	// fit is how wide the axis of values must be for its numbers.
	function fit(u, labels, axis, cycle) {
		if (cycle > 1 || !labels)
			return u.axes[axis]._size || 50;
		u.ctx.font = u.axes[axis].font[0];
		const widest = Math.max(0, ...labels.map(l => u.ctx.measureText(l).width));
		return Math.max(44, Math.ceil(widest / devicePixelRatio) + 16); // as wide as half a time at the other axis
	}

	// rank orders what has a severity, the gravest first.
	const rank = ({class: grave}) => ["critical", "warning", "notice", ""].indexOf(grave);

	class Chart {
		constructor(figure, words) {
			this.figure = figure;
			this.words = words;
			Object.assign(this, JSON.parse(figure.querySelector("script.data").textContent));
			const [first, last] = [this.times[0], this.times[this.times.length - 1]];
			this.all = first === last ? [first - minute, last + minute] : [first, last];
			this.window = this.all;
			this.hidden = new Set();
			this.cursor = null; // the index of a time, null for none
			this.plot = null;
			this.box = figure.querySelector(".plot");
			this.live = figure.querySelector(".live");
			this.prepare();
			this.draw();
			this.box.querySelector(".scroll").remove(); // the still picture, which is there until the chart is
			new ResizeObserver(() => this.resize()).observe(this.box);
		}

		// prepare makes the page's still parts work.
		prepare() {
			const {figure, box} = this;
			box.tabIndex = 0;
			box.setAttribute("role", "application");
			box.setAttribute("aria-labelledby", figure.id + "-label");
			box.setAttribute("aria-describedby", "keys");
			box.addEventListener("keydown", e => this.key(e));
			for (const part of figure.querySelectorAll(".tools, .at, .keys"))
				part.hidden = false;
			for (const b of figure.querySelectorAll("[data-form]"))
				b.addEventListener("click", () => {
					this.stacked = b.dataset.form === "stacked";
					this.draw();
				});
			const zooms = {in: () => this.zoom(0.5), out: () => this.zoom(2), all: () => this.showAll()};
			for (const b of figure.querySelectorAll("[data-zoom]"))
				b.addEventListener("click", zooms[b.dataset.zoom]);
			this.values = [...figure.querySelectorAll(".legend li")].map((item, i) => this.button(item, i));
			figure.querySelectorAll(".marks a").forEach((a, i) => a.addEventListener("click", e => {
				e.preventDefault();
				box.focus();
				this.goToMark(i);
			}));
		}

		// button makes a series' place in the legend a button that shows and hides it. It
		// returns the place for its value.
		button(item, i) {
			const button = document.createElement("button"), value = document.createElement("span");
			button.type = "button";
			button.setAttribute("aria-pressed", "true");
			value.className = "value";
			button.append(...item.childNodes, value);
			item.append(button);
			button.addEventListener("click", () => {
				this.hidden.has(i) ? this.hidden.delete(i) : this.hidden.add(i);
				button.setAttribute("aria-pressed", String(!this.hidden.has(i)));
				this.draw();
			});
			return value;
		}

		shown() {
			return this.series.map((s, i) => i).filter(i => !this.hidden.has(i));
		}

		// heights adds every shown series to those before it. A gap stays one.
		heights(shown) {
			const sum = new Float64Array(this.times.length), heights = [];
			for (const i of shown)
				heights[i] = this.series[i].values.map((v, k) => v === null ? null : sum[k] += v);
			return heights;
		}

		// draw makes the chart anew, as it is to be now: to do so takes less than a frame.
		// Stacked, each series is filled from its height to zero, and those below it are
		// drawn over it.
		draw() {
			const style = getComputedStyle(root), color = name => style.getPropertyValue("--" + name).trim();
			const shown = this.shown(), order = this.stacked ? shown.slice().reverse() : shown;
			const columns = this.stacked ? this.heights(shown) : this.series.map(s => s.values);
			const font = "12px " + getComputedStyle(document.body).fontFamily;
			const axis = {stroke: color("soft"), font, grid: {stroke: color("grid"), width: 1}, ticks: {stroke: color("grid"), width: 1, size: 4}};
			if (this.plot)
				this.plot.destroy();
			this.color = color;
			this.plot = new uPlot({
				...this.size(),
				padding: [this.marks.length ? 22 : 10, 26, 0, 0],
				drawOrder: ["series", "axes"],
				legend: {show: false},
				cursor: {y: false, drag: {x: true, y: false, dist: 6}, points: {size: 7}},
				scales: {
					x: {time: false, range: (u, min, max) => min < max ? [min, max] : this.all},
					y: {range: (u, min, max) => min === null ? [0, 1] : [Math.min(0, min), max > 0 ? max * 1.04 : 1]},
				},
				axes: [
					{...axis, incrs: steps, space: 84, values: times, size: 42},
					{...axis, incrs: counts, values: (u, splits) => splits.map(number), size: fit},
				],
				series: [{}].concat(order.map(i => {
					const {color: n, dash} = this.series[i], c = color("s" + n);
					return {
						stroke: c, width: this.stacked ? 1 : 2, dash: this.stacked ? [] : dash,
						fill: this.stacked ? blend(c, color("ground"), 0.72) : undefined,
						points: {show: true, filter: u => alone(u.data[order.indexOf(i) + 1]), size: 6, fill: c},
					};
				})),
				hooks: {
					draw: [u => {
						this.drawMarks(u);
						this.placeCursor();
					}],
					setScale: [(u, scale) => {
						if (scale === "x")
							this.window = [u.scales.x.min, u.scales.x.max];
					}],
				},
			}, [this.times].concat(order.map(i => columns[i])), this.box);
			this.plot.setScale("x", {min: this.window[0], max: this.window[1]});
			const over = this.plot.over;
			over.addEventListener("mousemove", e => this.hover(this.plot.posToIdx(e.clientX - over.getBoundingClientRect().left)));
			over.addEventListener("mouseleave", () => this.hover(null));
			this.figure.classList.toggle("lines", !this.stacked);
			for (const b of this.figure.querySelectorAll("[data-form]"))
				b.setAttribute("aria-pressed", String(this.stacked === (b.dataset.form === "stacked")));
			this.read();
		}

		size() {
			const width = Math.max(240, this.paper ? 660 : this.box.clientWidth);
			return {width, height: width < 560 ? 270 : 340};
		}

		resize() {
			const size = this.size();
			if (size.width !== this.plot.width)
				this.plot.setSize(size);
		}

		// drawMarks draws the marks as lines, the gravest last, and their flags above them.
		drawMarks(u) {
			const {ctx, bbox} = u, px = devicePixelRatio;
			ctx.save();
			ctx.font = "600 " + 11 * px + "px " + getComputedStyle(document.body).fontFamily;
			ctx.textAlign = "center";
			ctx.textBaseline = "middle";
			const marks = this.marks.map(m => ({letter: m.letter, class: m.class, time: this.times[m.at]}))
				.filter(m => m.time >= this.window[0] && m.time <= this.window[1]);
			for (const m of marks)
				m.x = Math.round(u.valToPos(m.time, "x", true));
			const flags = this.flags(marks, text => Math.max(8 * px, ctx.measureText(text).width / 2 + 4 * px), 3 * px);
			for (const {class: grave, x} of marks.slice().sort((a, b) => rank(b) - rank(a))) {
				ctx.strokeStyle = this.color(grave || "plain");
				ctx.lineWidth = 1.5 * px;
				ctx.setLineDash({critical: [], warning: [6 * px, 3 * px]}[grave] || [1.5 * px, 3 * px]);
				ctx.beginPath();
				ctx.moveTo(x, bbox.top - 2 * px);
				ctx.lineTo(x, bbox.top + bbox.height);
				ctx.stroke();
			}
			ctx.setLineDash([]);
			for (const {class: grave, text, x, half} of flags) {
				const c = this.color(grave || "plain"), y = bbox.top - 11 * px;
				ctx.strokeStyle = ctx.fillStyle = c;
				ctx.beginPath();
				ctx.rect(x - half, y - 8 * px, 2 * half, 16 * px);
				if (grave === "critical")
					ctx.fill();
				ctx.stroke();
				ctx.fillStyle = grave === "critical" ? this.color("ground") : c;
				ctx.fillText(text, x, y + 0.5 * px);
			}
			ctx.restore();
			this.figure.dataset.flags = flags.map(f => f.text).join(" "); // since a drawing cannot be searched
		}

		// flags are a flag for each mark, and one together for those that stand too close for
		// that: as grave as the gravest, and as wide as its text and as what it is of.
		flags(marks, half, margin) {
			const flags = [];
			for (const m of marks) {
				let flag = {first: m, last: m, text: m.letter, class: m.class, x: m.x, half: half(m.letter)};
				for (let near; (near = flags.at(-1)) && near.x + near.half + margin >= flag.x - flag.half; flags.pop()) {
					const {first} = near, {last} = flag, text = first.letter + "–" + last.letter;
					flag = {
						first, last, text, class: rank(near) < rank(flag) ? near.class : flag.class,
						x: (first.x + last.x) / 2, half: Math.max(half(text), (last.x - first.x) / 2 + margin),
					};
				}
				flags.push(flag);
			}
			return flags;
		}

		// hover takes the mouse's place for the cursor's.
		hover(k) {
			this.cursor = k;
			this.read();
		}

		// placeCursor draws the cursor where it is.
		placeCursor() {
			const left = this.cursor === null ? -10 : this.plot.valToPos(this.times[this.cursor], "x");
			this.plot.setCursor({left, top: left < 0 ? -10 : 1}, false);
		}

		// at is the time that is read: the cursor's, and otherwise the last.
		at() {
			return this.cursor === null ? this.times.length - 1 : this.cursor;
		}

		// read shows the values at the cursor, and the marks it is on: the one that was gone to first.
		read() {
			const k = this.at();
			const marks = this.cursor === null ? [] : this.marks.filter(m => m.at === k);
			const part = name => this.figure.querySelector(".at " + name);
			part("time").textContent = utc(this.times[k]) + " UTC";
			part(".total").textContent = this.stacked ? this.words.total + " " + this.total(k) : "";
			part(".mark").textContent = marks.sort((a, b) => (b === this.mark) - (a === this.mark)).map(m => m.letter + " " + m.text).join("; ");
			this.values.forEach((place, i) => place.textContent = this.value(i, k));
		}

		value(i, k) {
			const v = this.series[i].values[k];
			return v === null ? this.words.gap : number(v);
		}

		total(k) {
			const all = this.shown().map(i => this.series[i].values[k]).filter(v => v !== null);
			return all.length ? number(all.reduce((a, b) => a + b)) : this.words.gap;
		}

		// say has a screen reader tell the values at the cursor, behind some other words.
		say(before) {
			const k = this.at(), parts = before.concat(utc(this.times[k]) + " UTC");
			if (this.stacked)
				parts.push(this.words.total + " " + this.total(k));
			this.live.textContent = parts.concat(this.shown().map(i => this.series[i].name + " " + this.value(i, k))).join("; ");
		}

		// nearest is the index of the time closest to another.
		nearest(ms) {
			let low = 0, high = this.times.length - 1;
			while (low < high) {
				const middle = (low + high) >> 1;
				this.times[middle] < ms ? low = middle + 1 : high = middle;
			}
			return low > 0 && ms - this.times[low - 1] < this.times[low] - ms ? low - 1 : low;
		}

		// key does what a key asks for.
		key(e) {
			if (e.ctrlKey || e.metaKey || e.altKey)
				return;
			const last = this.times.length - 1, k = this.at();
			const tenth = Math.max(1, Math.round((this.nearest(this.window[1]) - this.nearest(this.window[0])) / 10));
			const keys = {
				ArrowLeft: () => this.go(k - 1), ArrowRight: () => this.go(k + 1),
				PageUp: () => this.go(k - tenth), PageDown: () => this.go(k + tenth),
				Home: () => this.go(0), End: () => this.go(last),
				"+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.showAll(),
				n: () => this.step(1), p: () => this.step(-1),
			};
			const act = keys[e.key.length === 1 ? e.key.toLowerCase() : e.key];
			if (!act)
				return;
			e.preventDefault();
			act();
		}

		// go moves the cursor to a time, and the window after it.
		go(k, before = []) {
			this.cursor = Math.min(Math.max(k, 0), this.times.length - 1);
			const t = this.times[this.cursor], [from, to] = this.window;
			if (t < from || t > to)
				this.move(t - (to - from) / 2, to - from);
			this.placeCursor();
			this.read();
			this.say(before);
		}

		// step goes to the next mark, or with -1 the one before. Marks at one time are
		// gone through in turn.
		step(by) {
			if (!this.marks.length)
				return;
			const here = this.cursor === null ? (by > 0 ? -1 : Infinity) : this.cursor;
			let to;
			if (this.mark && this.mark.at === this.cursor)
				to = this.marks.indexOf(this.mark) + by;
			else if (by > 0)
				to = this.marks.findIndex(m => m.at > here);
			else
				to = this.marks.filter(m => m.at < here).length - 1;
			if (to < 0 || to >= this.marks.length) // around
				to = by > 0 ? 0 : this.marks.length - 1;
			this.goToMark(to);
		}

		goToMark(i) {
			this.mark = this.marks[i];
			this.go(this.mark.at, [this.mark.letter, this.mark.text]);
		}

		// zoom makes the window smaller or larger, about the cursor.
		zoom(factor) {
			const [from, to] = this.window, whole = this.all[1] - this.all[0];
			const least = Math.min(whole, Math.max(1000, 4 * whole / this.times.length));
			const span = Math.min(whole, Math.max(least, (to - from) * factor));
			const t = this.cursor === null ? (from + to) / 2 : this.times[this.cursor];
			this.move(t - span * (t - from) / (to - from), span);
			this.sayWindow();
		}

		showAll() {
			this.show(this.all);
			this.sayWindow();
		}

		sayWindow() {
			this.live.textContent = this.window.map(utc).join(" – ") + " UTC";
		}

		// move puts the window somewhere within all times.
		move(from, span) {
			from = Math.max(this.all[0], Math.min(from, this.all[1] - span));
			this.show([from, from + span]);
		}

		show([min, max]) {
			this.window = [min, max];
			this.plot.setScale("x", {min, max});
		}
	}

	// alone are the indexes of values that stand between gaps, where a line cannot be
	// seen.
	function alone(values) {
		const found = [];
		for (let k = 0; k < values.length; k++)
			if (values[k] !== null && (k === 0 || values[k - 1] === null) && (k === values.length - 1 || values[k + 1] === null))
				found.push(k);
		return found;
	}

	function redraw() {
		for (const c of charts)
			c.draw();
	}

	// onPaper draws the charts light and as wide as a sheet, and back again.
	function onPaper(now) {
		if (now)
			root.dataset.paper = "";
		else
			delete root.dataset.paper;
		for (const c of charts)
			c.paper = now;
		redraw();
	}

	const theme = document.getElementById("theme");
	theme.hidden = false;
	theme.addEventListener("click", () => {
		const now = root.dataset.theme || (dark.matches ? "dark" : "light");
		root.dataset.theme = now === "dark" ? "light" : "dark";
		redraw();
	});
	dark.addEventListener("change", redraw);
	paper.addEventListener("change", e => onPaper(e.matches));
	addEventListener("beforeprint", () => onPaper(true));
	addEventListener("afterprint", () => onPaper(false));

	const words = document.getElementById("words");
	for (const data of document.querySelectorAll("script.data"))
		charts.push(new Chart(data.closest("figure"), JSON.parse(words.textContent)));
})();
