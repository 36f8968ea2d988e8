// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { CaseResult } from "./result.js";

use([BarChart, LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const width = 1_400;
const height = 560;

const frame = {
  legend: { top: 40, itemGap: 28 },
  grid: { top: 100, bottom: 60, left: 70, right: 20 },
  yAxis: { type: "log", name: "per second", min: 10, axisLabel: { formatter: short } },
};

/** Draws the rate of each contender in each case. */
export function plotRates(results: readonly CaseResult[], contenders: readonly string[]): string {
  return draw({
    ...frame,
    title: { text: "Calls or messages a second, on a logarithmic scale", left: "center" },
    xAxis: {
      type: "category",
      data: results.map((result) => inTwoLines(result.case.name)),
      axisLabel: { interval: 0 },
    },
    series: contenders.map((name) => ({
      type: "bar",
      name,
      barGap: 0,
      data: results.map(({ measurements }) => rateOf(measurements, name)),
    })),
  });
}

/** Draws how streams on one connection compare with a connection for each. */
export function plotMultiplexing(results: readonly CaseResult[]): string {
  const names = [...new Set(results.flatMap(({ measurements }) => measurements.map(({ contender }) => contender)))];
  return draw({
    ...frame,
    title: { text: "Messages a second, by the number of concurrent streams, on a logarithmic scale", left: "center" },
    xAxis: { type: "category", data: results.map((result) => result.case.name) },
    series: names.map((name) => ({
      type: "line",
      name,
      data: results.map(({ measurements }) => rateOf(measurements, name)),
    })),
  });
}

/** Breaks a name near its middle, at a space. */
function inTwoLines(name: string): string {
  const middle = name.length / 2;
  const spaces = [...name.matchAll(/ /g)].map(({ index }) => index);
  const [nearest] = spaces.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  return nearest === undefined ? name : `${name.slice(0, nearest)}\n${name.slice(nearest + 1)}`;
}

function rateOf(measurements: CaseResult["measurements"], name: string): number | "-" {
  const found = measurements.find(({ contender }) => contender === name);
  // A dash is what the library takes for nothing.
  return found === undefined ? "-" : Math.round(found.ratePerS);
}

function short(value: number): string {
  return value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : String(value);
}

function draw(option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: "#fff", ...option });
    return `${chart.renderToSVGString()}\n`;
  } finally {
    chart.dispose();
  }
}
