// SPDX-License-Identifier: Apache-2.0
// Prints the figures of real models on an emulated target as a markdown table, with the peers' beside them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "measure/measure.hpp"
#include "target/find.hpp"
#include "verify/golden.hpp"

namespace {

using namespace mote;
namespace fs = std::filesystem;

struct Flags {
  fs::path shared = fs::path(MOTE_SHARED_DIR);
  std::string target = "rv32imac";
  std::vector<std::string> modes = {"speed", "size"};
  size_t cases = 1;
  std::vector<std::string> models = {"mf_sine",   "micro_speech", "st_mnist",      "kws_int8",
                                     "ad01_int8", "resnet_int8",  "person_detect", "vww_96_int8"};
};

// TFLM's own figures for the target: the best instructions per MAC and the smallest code among its rows.
struct Peer {
  double instructions_per_mac = 0;
  int64_t code_bytes = 0, arena_bytes = 0;
};

std::map<std::string, Peer> read_peers(const fs::path& file, const std::string& target) {
  std::map<std::string, Peer> peers;
  if (!fs::exists(file)) return peers;
  const Bytes bytes = read_file(file.string());
  const auto* const text = reinterpret_cast<const char*>(bytes.data());
  for (const nlohmann::json& row : nlohmann::json::parse(text, text + bytes.size())) {
    if (row.value("target", "") != target || row["instructions_per_mac"].is_null()) continue;
    Peer& peer = peers[row.value("model", "")];
    const double per_mac = row.value("instructions_per_mac", 0.0);
    const auto code = row.value("code_bytes", int64_t{0});
    if (peer.instructions_per_mac == 0 || per_mac < peer.instructions_per_mac) peer.instructions_per_mac = per_mac;
    if (peer.code_bytes == 0 || code < peer.code_bytes) peer.code_bytes = code;
    peer.arena_bytes = row.value("arena_bytes", int64_t{0});
  }
  return peers;
}

void print_row(const std::string& model, const Flags& flags, const std::string& mode, const Peer& peer) {
  const Target& target = find_target(flags.target);
  const Compiled compiled =
      compile_file(flags.shared / "models" / (model + ".tflite"), {}, plan_options(parse_mode(mode), target.core));
  std::vector<Case> cases = read_golden(flags.shared / "golden" / model, compiled.graph);
  cases.resize(std::min(cases.size(), flags.cases));
  const Measurement measured =
      measure(compiled, target, parse_mode(mode), inputs_of(cases), false, continues_of(cases));
  const Comparison comparison = compare(compiled.graph, cases, measured.outputs);
  const int64_t macs = total_macs(compiled.graph);
  const auto known = [](auto value, const std::string& text) { return value > 0 ? text : std::string("-"); };
  fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} / {} | {} / {} |\n", model, mode, macs,
             known(macs, fmt::format("{:.2f}", static_cast<double>(measured.instructions.at(0)) /
                                                   static_cast<double>(macs))),
             known(peer.instructions_per_mac, fmt::format("{:.2f}", peer.instructions_per_mac)),
             measured.sizes->code_bytes, known(peer.code_bytes, fmt::format("{}", peer.code_bytes)),
             measured.sizes->weight_bytes, compiled.plan.arena_bytes, compiled.plan.lower_bound_bytes,
             known(peer.arena_bytes, fmt::format("{}", peer.arena_bytes)), *measured.stack_peak_bytes,
             measured.sizes->stack_bound_bytes, comparison.equal_bytes, comparison.total_bytes);
  std::cout.flush();
}

void bench(const Flags& flags) {
  const auto peers = read_peers(flags.shared / "reference" / "tflm.json", flags.target);
  fmt::print("{}; instructions as QEMU counts them; peers: TensorFlow Lite Micro's best row each\n\n",
             flags.target);
  fmt::print(
      "| model | mode | MAC | instr/MAC | peer | code B | peer | weights B | arena B | lower bound | peer | stack "
      "B used / bound | bytes equal |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::string& model : flags.models) {
    for (const std::string& mode : flags.modes) {
      const auto peer = peers.find(model);
      print_row(model, flags, mode, peer == peers.end() ? Peer{} : peer->second);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Prints the figures of real models on an emulated target."};
  Flags flags;
  app.add_option("--shared", flags.shared, "folder with models/, golden/ and reference/")->capture_default_str();
  app.add_option("--target", flags.target, "an emulated target")->capture_default_str();
  app.add_option("--modes", flags.modes, "of size, balanced, speed")->capture_default_str();
  app.add_option("--cases", flags.cases, "golden cases to run; instructions are the first's")
      ->capture_default_str();
  app.add_option("models", flags.models, "names in models/")->capture_default_str();
  CLI11_PARSE(app, count, arguments);
  try {
    bench(flags);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "bench: error: {}\n", problem.what());
    return 1;
  }
  return 0;
}
