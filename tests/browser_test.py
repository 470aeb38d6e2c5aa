#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Opens pages of `mote report` in headless Chromium and looks at what a person would see.

    tests/browser_test.py build/mote [--models FOLDER]    # make test-browser installs what it needs and calls this

Every page: nothing on the console, nothing fetched, one rectangle a buffer and a permitted overlap, each where the
plan says, tooltips on pointing, tables that sort, and no sideways scrolling from 360 pixels on.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "models"
PROGRAM = ROOT / "build" / "mote"
PHONE, DESK = (360, 780), (1280, 900)

# The same number of bytes as the names they replace, so that the model file stays valid.
HOSTILE = {b"depthwise2": b"<b>x</b>'\"", b"probabilities": b"</script><b>&"}

BOARDS = {"boards": [
    {"board": "small", "description": "64 KB of RAM", "verdict": "does not fit",
     "answer": "fits with --board", "flash_bytes": 9000, "flash_capacity_bytes": 8192, "flash_missing_bytes": 808,
     "ram_missing_bytes": 0, "milliseconds": 12.5, "clock_hz": 48e6, "cycles_per_instruction": 1.5,
     "ram": [{"memory": "sram", "used_bytes": 2000, "capacity_bytes": 65536}],
     "alternatives": [{"what": "int8", "verdict": "fits", "flash_bytes": 4000,
                       "ram": [{"memory": "sram", "used_bytes": 1000, "capacity_bytes": 65536}]}]},
    {"board": "large", "description": "two memories", "verdict": "fits", "answer": "fits",
     "flash_bytes": 9000, "flash_capacity_bytes": 4194304, "flash_missing_bytes": 0,
     "ram_missing_bytes": 0, "milliseconds": 0.25, "clock_hz": 240e6, "cycles_per_instruction": 1.2, "alternatives": [],
     "ram": [{"memory": "sram", "used_bytes": 2000, "capacity_bytes": 65536},
             {"memory": "psram", "used_bytes": 0, "capacity_bytes": 4194304}]}]}


def open_browser():
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options)


def data_of(path):
    """The page before its data, the data, and the page behind it."""
    text = path.read_text()
    first = text.index('id="data">') + len('id="data">')
    end = text.index("</script>", first)
    return text[:first], json.loads(text[first:end]), text[end:]


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.browser = open_browser()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.addClassCleanup(cls.browser.quit)

    def page(self, model, *options):
        """Path of the model's page, and the data in it."""
        path = pathlib.Path(self.folder.name) / (pathlib.Path(model).name + ".html")
        subprocess.run([PROGRAM, "report", model, "-o", path, *options], check=True, stdout=subprocess.DEVNULL)
        return path, data_of(path)[1]

    def show(self, path, size, dark=False):
        width, height = size
        command = self.browser.execute_cdp_cmd
        command("Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        command("Emulation.setEmulatedMedia",
                {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        self.browser.get(path.as_uri())

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def point_at(self, element):
        self.script("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", element)
        ActionChains(self.browser).move_to_element(element).perform()

    def tooltip(self):
        tooltip = self.all("#tooltip")[0]
        return tooltip.text if tooltip.is_displayed() else None

    def check_quiet(self):
        self.assertEqual(self.browser.get_log("browser"), [])
        self.assertEqual(self.script("return performance.getEntriesByType('resource').map(e => e.name)"), [])

    def check_width(self):
        width, window = self.script("return [document.documentElement.scrollWidth, innerWidth]")
        self.assertLessEqual(width, window)
        small = self.script("""return [...document.querySelectorAll('p, td, dd, dt, button, .track text')]
            .filter(e => e.textContent && parseFloat(getComputedStyle(e).fontSize) < 10).length""")
        self.assertEqual(small, 0, "text smaller than 10 pixels")

    def check_arena(self, data):
        """Every buffer's rectangle is where the plan has it: to the pixel, from bytes and steps."""
        arena, columns = data["arena"], len(data["arena"]["steps"])
        boxes = self.script("""return [...document.querySelectorAll('rect.buffer')].map(rect =>
            ['x', 'y', 'width', 'height'].map(name => Number(rect.getAttribute(name))))""")
        self.assertEqual(len(boxes), len(arena["buffers"]))
        self.assertEqual(len(self.all(".plot rect.shared")), len(arena["shared"]))
        plot = self.all("svg.plot")[0]
        bottom = self.script("return Math.max(...[...arguments[0].querySelectorAll('.grid line')]"
                             ".map(line => Number(line.getAttribute('y1'))))", plot)
        top, column = self.script("""const mark = arguments[0].querySelector('rect.column');
            return [Number(mark.getAttribute('y')), Number(mark.getAttribute('width'))];""", plot)
        by_byte = (bottom - top) / data["arena_bytes"]
        self.assertGreaterEqual(column * columns, 200)
        for (x, y, width, height), buffer in zip(boxes, arena["buffers"]):
            self.assertAlmostEqual(x, buffer["first_step"] * column, delta=1)
            self.assertAlmostEqual(x + width, (buffer["last_step"] + 1) * column, delta=1)
            self.assertAlmostEqual(y + height, bottom - buffer["offset"] * by_byte, delta=1)
            self.assertAlmostEqual(height, max(1, buffer["bytes"] * by_byte), delta=1)

    def numbers(self, selector, *names):
        """Attributes of all such elements in the first chart."""
        return self.script("""return [...document.querySelectorAll('svg.plot')[0].querySelectorAll(arguments[0])].map(
            shape => arguments[1].map(name => Number(shape.getAttribute(name))))""", selector, names)

    def check_strips(self, data):
        """A frame around each segment, ruled windows, an arrow a move, a line where a memory ends."""
        arena, column = data["arena"], self.numbers("rect.column", "width")[0][0]
        segments = arena.get("segments", [])
        frames = self.numbers("rect.segment", "x", "width")
        self.assertEqual(len(frames), len(segments))
        for (x, width), segment, label in zip(frames, segments, self.all(".plot text.strips")):
            self.assertAlmostEqual(x, segment["first_step"] * column, delta=1)
            self.assertAlmostEqual(x + width, (segment["last_step"] + 1) * column, delta=1)
            self.assertTrue(label.text.startswith(str(segment["strips"])), label.text)
        windows = [window for segment in segments for window in segment["windows"]]
        self.assertEqual(len(self.numbers("rect.window", "x")), len(windows))
        boxes = self.numbers("rect.buffer", "y", "height")
        rulings = [round(y) for (y,) in self.numbers("line.row", "y1")]
        for window in windows:
            y, height = boxes[window["buffer"]]
            if height / window["rows"] >= 3:
                for row in range(1, window["rows"]):
                    self.assertIn(round(y + row * height / window["rows"]), rulings)
        kept = [text for text in self.script(
            "return [...document.querySelectorAll('#layers td[data-label=Strips] small')].map(e => e.textContent)")]
        self.assertEqual(sorted(kept), sorted(f"keeps {window['rows']:,} of {window['of_rows']:,} rows"
                                              for window in windows))
        self.assertEqual(len(self.numbers("path.move", "x")), len(arena.get("moves", [])))
        arenas = data.get("arenas", [])
        lines = [y for (y,) in self.numbers("line.divide", "y1")]
        self.assertEqual(len(lines), max(0, len(arenas) - 1))
        ends = [max(y + height for (y, height), buffer in zip(boxes, arena["buffers"])
                    if buffer["memory"] == following["memory"] and buffer["bytes"] > 0) for following in arenas[1:]]
        for y, end in zip(lines, ends):
            self.assertAlmostEqual(y, end, delta=1.5, msg="the lowest buffer of a memory stands on its line")
        if len(arenas) > 1:
            self.assertEqual([name.text for name in self.all(".plot text.memory")],
                             [arena["memory"] for arena in arenas])

    def check_memory(self, data):
        """The stairs of both lines have the heights of the data."""
        plot = self.all("svg.plot")[1]
        paths = {shape: plot.find_element(By.CSS_SELECTOR, f"path.{shape}").get_attribute("d")
                 for shape in ("use", "least", "ceiling")}
        top = float(re.match(r"M0 ([\d.]+)H", paths["ceiling"])[1])
        bottom = float(re.search(r"V([\d.]+)H0Z", paths["use"])[1])
        for shape, key in (("use", "bytes"), ("least", "lower_bound_bytes")):
            heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)H", paths[shape])]
            shown = [(bottom - y) / (bottom - top) * data["arena_bytes"] for y in heights]
            self.assertEqual(len(shown), len(data["arena"]["steps"]))
            for value, step in zip(shown, data["arena"]["steps"]):
                self.assertAlmostEqual(value, step[key], delta=data["arena_bytes"] * 0.001 + 0.5)

    def check_bars(self, chart, values):
        """The bars of a chart stand in the ratio of the values, one a layer."""
        heights = self.script("""const number = (bar, name) => Number(bar.getAttribute(name));
            const bars = [...arguments[0].querySelectorAll('rect.bar')];
            const bottom = Math.max(...bars.map(bar => number(bar, 'y') + number(bar, 'height')));
            const heights = {};
            for (const bar of bars) {
              const x = number(bar, 'x');
              heights[x] = Math.max(heights[x] || 0, bottom - number(bar, 'y'));
            }
            return Object.keys(heights).sort((a, b) => a - b).map(x => heights[x]);""",
                              self.all("svg.plot")[chart])
        self.assertEqual(len(heights), len(values))
        for height, value in zip(heights, values):
            self.assertAlmostEqual(height / max(heights), value / max(values), delta=0.01)

    def check_charts(self, data):
        self.assertEqual(len(self.all("svg.plot")), 4)
        self.check_memory(data)
        layers = data["layers"]
        self.check_bars(2, [layer["instructions"] or layer["macs"] for layer in layers])
        self.check_bars(3, [layer["weight_bytes"] + layer["table_bytes"] + (layer["code_bytes"] or 0)
                            for layer in layers])
        self.assertEqual(len(self.all("#layers tbody tr")), len(layers))
        self.assertEqual(self.all("#stack")[0].is_displayed(), data["stack"] is not None)
        verdicts = [cell.text for cell in self.all("#boards td[data-label=Verdict]")]
        self.assertEqual(verdicts, [board["answer"] for board in data["fit"]["boards"]])

    def check_tooltips(self, data):
        buffers = data["arena"]["buffers"]
        for index in sorted(range(len(buffers)), key=lambda i: -buffers[i]["bytes"])[:3]:
            # Permitted overlaps cover parts of a rectangle: look for a point that is its own.
            point = self.script("""const rect = arguments[0];
                rect.scrollIntoView({block: 'center', inline: 'center'});
                const box = rect.getBoundingClientRect();
                for (let i = 1; i < 20; ++i) for (let j = 1; j < 20; ++j) {
                  const x = box.left + box.width * i / 20, y = box.top + box.height * j / 20;
                  if (document.elementFromPoint(x, y) === rect) return [x, y];
                }
                return null;""", self.all(".plot rect.buffer")[index])
            if point is None:
                continue
            self.browser.execute_cdp_cmd("Input.dispatchMouseEvent",
                                         {"type": "mouseMoved", "x": point[0], "y": point[1]})
            self.assertIn(f"size {buffers[index]['bytes']:,} B", self.tooltip())
        if data["arena"]["shared"]:
            most = max(range(len(data["arena"]["shared"])), key=lambda i: data["arena"]["shared"][i]["bytes"])
            self.point_at(self.all(".plot rect.shared")[most])
            self.assertIn(f"{data['arena']['shared'][most]['bytes']:,} B shared", self.tooltip())
        box = self.script("const r = document.getElementById('tooltip').getBoundingClientRect();"
                          "return [r.left, r.top, innerWidth - r.right]")
        self.assertGreaterEqual(min(box), 0, "the tooltip leaves the window")
        marked = [column for column in self.all("rect.column") if column.is_displayed()]
        self.assertEqual(len(marked), 4, "one column in every chart")
        self.point_at(self.all("h1")[0])
        self.assertIsNone(self.tooltip())

    def check_sorting(self, data):
        header = next(b for b in self.all("#layers th button") if b.text == "MAC")
        macs = sorted((layer["macs"] for layer in data["layers"]), reverse=True)
        shown = "return [...document.querySelectorAll('#layers td[data-label=MAC]')].map(e => e.textContent)"
        self.script("arguments[0].click()", header)
        self.assertEqual(self.script(shown), [f"{value:,}" if value else "" for value in macs])
        self.script("arguments[0].click()", header)
        self.assertEqual(self.script(shown), [f"{value:,}" if value else "" for value in reversed(macs)])
        self.assertEqual(len(self.all("#layers th[aria-sort=ascending]")), 1)

    def check_all(self, path, data):
        for size in (DESK, PHONE):
            with self.subTest(page=path.name, width=size[0]):
                self.show(path, size)
                self.check_charts(data)
                self.check_arena(data)
                self.check_strips(data)
                self.check_tooltips(data)
                self.check_sorting(data)
                self.check_width()
                self.check_quiet()

    def test_measured_example(self):
        path, data = self.page(ROOT / "examples/digits/digits.tflite", "--target", "rv32imac", "--measure")
        self.check_all(path, data)
        self.assertEqual(len(self.all("#stack svg rect.guard")), 1)
        self.assertIn("Instructions", [e.text for e in self.all("#layers th")])

    def test_strips_and_memories(self):
        digits = ROOT / "examples/digits/digits.tflite"
        path, data = self.page(digits, "--optimize", "size")
        self.assertEqual(len(data["arena"]["segments"]), 1)
        self.check_all(path, data)
        self.assertIn("by rows only", self.all(".legend")[0].text)
        path, data = self.page(digits, "--memory", "tcm=600", "--memory", "sdram=64K")
        self.assertEqual(len(data["arenas"]), 2)
        self.check_all(path, data)
        self.assertIn("Memory", [e.get_attribute("textContent") for e in self.all("#buffers th")])

    def test_names_cannot_leave_their_place(self):
        model = (ROOT / "examples/digits/digits.tflite").read_bytes()
        for harmless, hostile in HOSTILE.items():
            self.assertEqual(len(harmless), len(hostile))
            self.assertIn(harmless, model)
            model = model.replace(harmless, hostile)
        file = pathlib.Path(self.folder.name) / "a<b>\"'&.tflite"
        file.write_bytes(model)
        path, data = self.page(file)
        self.check_all(path, data)
        self.assertEqual(self.all("b"), [])
        self.assertEqual(self.all("h1")[0].text, file.name)

    def test_boards(self):
        path, _ = self.page(ROOT / "examples/digits/digits.tflite")
        before, data, after = data_of(path)
        data["fit"] = BOARDS
        path.write_text(before + json.dumps(data).replace("<", "\\u003c") + after)
        self.show(path, DESK)
        rows = [row.text for row in self.all("#boards tbody tr")]
        self.assertEqual(len(rows), 2)
        for text in ("does not fit", "808 B too many", "12.5 ms", "int8: fits"):
            self.assertIn(text, rows[0])
        self.assertIn("250 µs", rows[1])
        self.check_quiet()
        self.show(path, PHONE)
        self.check_width()

    def test_dark_page_changes_the_colours(self):
        path, _ = self.page(ROOT / "examples/digits/digits.tflite")
        colours = []
        for dark in (False, True):
            self.show(path, DESK, dark)
            colours.append(self.script("""return ['background-color', 'color'].map(name =>
                getComputedStyle(document.body).getPropertyValue(name))"""))
        self.assertEqual(colours, [["rgb(255, 255, 255)", "rgb(29, 36, 51)"],
                                   ["rgb(22, 26, 34)", "rgb(230, 233, 239)"]])

    def test_real_models(self):
        if not SHARED.exists():
            self.skipTest(f"needs {SHARED} (real models), which is not there")
        for name in ("person_detect", "kws_int8", "st_mbv2_035_128_tfs"):
            for options in ([], ["--optimize", "size"], ["--memory", "fast=60K", "--memory", "slow=8M"]):
                path, data = self.page(SHARED / f"{name}.tflite", *options)
                self.check_all(path, data)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--models", type=pathlib.Path, default=SHARED, help="folder with real models")
    given, rest = arguments.parse_known_args()
    PROGRAM, SHARED = given.program.resolve(), given.models.resolve()
    unittest.main(argv=sys.argv[:1] + rest, verbosity=2)
