// SPDX-License-Identifier: Apache-2.0
// Samples from .npz and .npy files, and what is said about those that cannot be used.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/files.hpp"
#include "base/npz.hpp"
#include "base/temporary_directory.hpp"
#include "quantize/samples.hpp"
#include "support/float_net.hpp"
#include "support/npz_writer.hpp"

namespace mote {
namespace {

using test::npy;
using test::npz;

class SamplesFile : public testing::Test {
 protected:
  SamplesFile() {
    test::FloatNet net(1);
    const int x = net.input({1, 2, 2, 1}), y = net.input({1, 3});
    two_ = net.graph({net.unary(x, tflite::schema::BuiltinOperator::RELU),
                      net.unary(y, tflite::schema::BuiltinOperator::RELU)});
    test::FloatNet other(1);
    one_ = other.graph({other.unary(other.input({1, 2, 2, 1}), tflite::schema::BuiltinOperator::RELU)});
  }

  Samples read(const Bytes& content, const Graph& model) {
    write_file(path_, content);
    return read_samples(path_, model);
  }

  // The message without the file's name in front.
  std::string error_of(const Bytes& content, const Graph& model) {
    try {
      (void)read(content, model);
    } catch (const Error& problem) {
      const std::string text = problem.what(), file = path_.string() + ": ";
      return text.starts_with(file) ? text.substr(file.size()) : text;
    }
    return "no error";
  }

  static Bytes floats(const Shape& shape) {
    std::vector<float> values(static_cast<size_t>(elements(shape)));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    return npy("<f4", shape, values);
  }

  TemporaryDirectory folder_;
  std::filesystem::path path_ = folder_.path() / "samples.npz";
  Graph one_, two_;  // of one input t0, of two, t0 and t1
};

TEST_F(SamplesFile, StoredAndDeflatedArchivesHoldTheSame) {
  const Bytes x = floats({3, 2, 2, 1}), y = floats({3, 3});
  for (const bool compressed : {false, true}) {
    const Samples samples = read(npz({{"t0", x}, {"t1", y}}, compressed), two_);
    ASSERT_EQ(samples.inputs.size(), 3U);
    EXPECT_EQ(to_values<float>(samples.inputs[1][0]), (std::vector<float>{4, 5, 6, 7}));
    EXPECT_EQ(to_values<float>(samples.inputs[2][1]), (std::vector<float>{6, 7, 8}));
    EXPECT_TRUE(samples.labels.empty());
  }
  std::vector<float> zeros(10000);  // deflated for sure
  EXPECT_EQ(parse_npz(npz({{"a", npy("<f4", {10000}, zeros)}}, true), "a.npz").at("a").data.size(), 40000U);
}

TEST_F(SamplesFile, TheOnlyInputTakesAnyKeyAndAPlainArray) {
  EXPECT_EQ(read(npz({{"images", floats({5, 2, 2, 1})}}), one_).inputs.size(), 5U);
  EXPECT_EQ(read(floats({5, 2, 2}), one_).inputs.size(), 5U);
  EXPECT_EQ(read(floats({5, 1, 2, 2, 1}), one_).inputs.size(), 5U);
  EXPECT_EQ(read(floats({5, 4}), one_).inputs.size(), 5U);
}

TEST_F(SamplesFile, LabelsHaveAKeyOfTheirOwn) {
  for (const char* const key : {"labels", "y"}) {
    const Samples samples =
        read(npz({{"x", floats({2, 2, 2})}, {key, npy("<i4", {2}, std::vector<int32_t>{3, 1})}}), one_);
    EXPECT_EQ(samples.labels, (std::vector<int64_t>{3, 1}));
    EXPECT_NO_THROW(require_labels(samples, 4));
    EXPECT_THROW(require_labels(samples, 3), Error);
  }
  EXPECT_EQ(error_of(npz({{"x", floats({2, 2, 2})}, {"y", npy("<i4", {3}, std::vector<int32_t>{3, 1, 0})}}), one_),
            "holds 3 labels for 2 samples");
  EXPECT_EQ(error_of(npz({{"x", floats({2, 2, 2})}, {"y", floats({2})}}), one_),
            "'y': holds float32; labels are integers");
}

TEST_F(SamplesFile, SaysHowChannelsInFrontComeLast) {
  test::FloatNet net(1);
  const Graph model = net.graph({net.unary(net.input({1, 4, 5, 3}), tflite::schema::BuiltinOperator::RELU)});
  const std::string needs = "; input 't0' needs 1x4x5x3 a sample, behind an axis that counts the samples";
  EXPECT_EQ(error_of(floats({2, 3, 4, 5}), model),
            "has shape 2x3x4x5" + needs + "; channels come last: numpy.moveaxis(samples, 1, -1)");
  EXPECT_EQ(error_of(floats({2, 1, 3, 4, 5}), model),
            "has shape 2x1x3x4x5" + needs + "; channels come last: numpy.moveaxis(samples, 2, -1)");
  EXPECT_EQ(error_of(floats({2, 3, 5, 4}), model), "has shape 2x3x5x4" + needs);
}

TEST_F(SamplesFile, SaysWhichArrayDoesNotFit) {
  EXPECT_EQ(error_of(npz({{"t0", floats({3, 2, 2, 1})}, {"z", floats({3, 3})}}), two_),
            "has no array 't1' for the model's input of that name; it holds 't0', 'z'");
  EXPECT_EQ(error_of(npz({{"t0", floats({3, 2, 2, 1})}, {"t1", floats({2, 3})}}), two_),
            "'t1': holds 2 samples, other inputs have 3");
  EXPECT_EQ(error_of(npz({{"x", floats({2, 2, 3})}}), one_),
            "'x': has shape 2x2x3; input 't0' needs 1x2x2x1 a sample, behind an axis that counts the samples");
  EXPECT_EQ(error_of(floats({}), one_),
            "has no axes; input 't0' needs 1x2x2x1 a sample, behind an axis that counts the samples");
  EXPECT_EQ(error_of(npz({{"x", floats({0, 2, 2})}}), one_), "'x': holds no sample");
  EXPECT_EQ(error_of(npz({{"x", npy("<f8", {1, 2, 2}, std::vector<double>(4))}}), one_),
            "'x': holds float64, input 't0' needs float32; convert it with .astype('float32')");
  EXPECT_EQ(error_of(npz({{"x", npy("<f4", {2, 2, 2}, std::vector<float>(7))}}), one_),
            "'x': is cut off: 28 bytes for 2 samples of 16");
}

TEST_F(SamplesFile, SaysWhereANumberIsNone) {
  std::vector<float> values(12, 1.0F);
  values[6] = std::nanf("");
  EXPECT_EQ(error_of(npz({{"x", npy("<f4", {3, 2, 2}, values)}}), one_),
            "'x': sample 1 holds NaN at [1, 0]; leave such samples out");
  values[6] = -INFINITY;
  EXPECT_EQ(error_of(npy("<f4", {3, 2, 2}, values), one_),
            "sample 1 holds infinity at [1, 0]; leave such samples out");
}

TEST_F(SamplesFile, ArchivesThatAreNoneAreErrors) {
  const Bytes whole = npz({{"x", floats({50, 2, 2})}}, true);
  EXPECT_TRUE(error_of(Bytes(whole.begin(), whole.begin() + 60), one_).starts_with("is no .npz file"));
  EXPECT_EQ(error_of(to_bytes(std::vector<int32_t>{1, 2, 3, 4}), one_), "is not a .npy file");
  Bytes spoilt = whole;
  for (size_t i = 60; i < 80; ++i) spoilt[i] ^= std::byte{0x55};
  EXPECT_NE(error_of(spoilt, one_), "no error");
}

TEST_F(SamplesFile, SpoiltBytesGiveSamplesOrAnError) {
  const Bytes stored = npz({{"x", floats({50, 2, 2})}, {"y", npy("<i4", {50}, std::vector<int32_t>(50))}});
  const Bytes deflated = npz({{"x", floats({50, 2, 2})}}, true);
  std::mt19937 random(1);
  size_t errors = 0;
  for (int round = 0; round < 600; ++round) {
    Bytes bytes = round % 2 == 0 ? stored : deflated;
    for (unsigned i = random() % 8; i-- > 0;) bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    errors += error_of(bytes, one_) == "no error" ? 0 : 1;
  }
  EXPECT_GT(errors, 200U);
}

TEST_F(SamplesFile, AHeaderOfManyDigitsIsAnError) {
  const std::string shape(40000, '1');
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_EQ(error_of(Bytes(bytes.begin(), bytes.end()), one_),
            fmt::format("the .npy header has {} bytes; at most 10000 are read", header.size()));
}

}  // namespace
}  // namespace mote
