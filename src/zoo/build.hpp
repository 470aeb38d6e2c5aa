// SPDX-License-Identifier: Apache-2.0
// Fills a footprint book: every model of a folder for each target and mode, several rows at a time.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "codegen/codegen.hpp"
#include "target/target.hpp"
#include "zoo/book.hpp"

namespace mote {

struct ZooRequest {
  std::filesystem::path folder;     // its .tflite and .onnx files, not those of folders in it
  std::vector<std::string> models;  // globs of file names, with or without extension; empty: all
  std::filesystem::path book;       // created when it is not there
  std::vector<const Target*> targets;
  std::vector<Mode> modes;
  Detail detail = Detail::run;
  size_t jobs = 1;
  bool force = false;  // build rows anew that are up to date
};

struct ZooProgress {
  size_t rows = 0, finished = 0, failed = 0;  // of those that are not up to date
  std::vector<std::string> working;           // "person_detect rv32imac speed"
};

struct ZooResult {
  size_t models = 0, rows = 0, built = 0, up_to_date = 0;
  std::vector<BookRow> failed;  // of the built ones
  bool stopped = false;         // before all was done
};

// A row is up to date when it has no error and the model's content, the build of Mote, the tools and the detail
// are what they would be now. Each finished row is in the book at once; a model that cannot be read, compiled or
// run is a row with its error. `progress` is called whenever it changed, by one thread at a time. Once `stop` is
// true no further row is begun. Throws Error when the folder has no models or the book cannot be written.
ZooResult build_zoo(const ZooRequest& request, const std::function<void(const ZooProgress&)>& progress,
                    const std::atomic<bool>& stop);

}  // namespace mote
