#include <ckpt/format/plan_cursor.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <ckpt/tensor/tensor_view.hpp>

#include "planned.hpp"

using namespace ckpt;
using namespace support;

TEST_CASE("plan_cursor: from every place on, in steps of every size") {
  const std::vector<std::int32_t> grid{1, 2, 3, 4, 5, 6};
  const tensor_view transposed = tensor_view::strided(dtype::float32, {3, 2}, grid.data(), {1, 3});
  const gather from{&transposed, 0};
  plan plan;
  plan.add(bytes("head"));
  plan.add(segment(from, transposed.size_bytes()));
  plan.add(bytes("middle"));
  plan.add(bytes("end"));
  const std::string whole = planned(plan);
  CHECK(whole.size() == 4 + 24 + 6 + 3);
  for (std::size_t begin = 0; begin < whole.size(); ++begin)
    for (std::size_t step = 1; step <= whole.size(); ++step) {
      plan_cursor cursor;
      cursor.seek(plan, begin);
      std::string read;
      while (read.size() < whole.size() - begin) {
        std::vector<std::byte> to(step < whole.size() - begin - read.size() ? step
                                                                            : whole.size() - begin - read.size());
        cursor.read(to);
        read += text(to);
      }
      CHECK(read == whole.substr(begin));
    }
}

TEST_CASE("plan_cursor: runs lie where the segments do; what is gathered has none") {
  const std::vector<float> grid{1, 2, 3, 4};
  const tensor_view transposed = tensor_view::strided(dtype::float32, {2, 2}, grid.data(), {1, 2});
  const gather from{&transposed, 0};
  const std::string head = "head";
  plan plan;
  plan.add(bytes(head));
  plan.add(segment(from, 16));
  plan_cursor cursor;
  cursor.seek(plan, 1);
  CHECK(text(cursor.run()) == "ead");
  CHECK(cursor.run().data() == bytes(head).data() + 1);
  cursor.skip(3);
  CHECK(cursor.run().empty());
  plan.add(bytes("tail"));
  cursor.seek(plan, 1);
  cursor.skip(3 + 16 + 2);
  CHECK(text(cursor.run()) == "il");
  cursor.skip(2);  // to the end, where nothing is left to look at
}

TEST_CASE("plan_cursor: read together, what follows each other in a source is asked for at once") {
  /// Knows how often it was asked, and for how much.
  class asked_source final : public source {
   public:
    explicit asked_source(std::string content) : source("<test>"), m_content(std::move(content)) {}
    [[nodiscard]] std::uint64_t size() const noexcept override { return m_content.size(); }
    void read(std::uint64_t offset, byte_span to) const override {
      std::memcpy(to.data(), m_content.data() + offset, to.size());
    }
    void read_all(sequence<read_request> requests, function_ref<void(std::uint64_t)> report) const override {
      asked.push_back(requests.size());
      source::read_all(requests, report);
    }
    mutable std::vector<std::size_t> asked;

   private:
    std::string m_content;
  };
  const asked_source a("0123456789");
  const asked_source b("abcdefghij");
  const gather from[] = {{nullptr, 1, &a}, {nullptr, 6, &a}, {nullptr, 2, &a}, {nullptr, 3, &b}};
  plan plan;
  plan.add(segment(from[0], 3));  // 123
  plan.add(bytes("-"));
  plan.add(segment(from[1], 4));  // 6789
  plan.add(segment(from[2], 2));  // 23: before what was asked for last
  plan.add(segment(from[3], 5));  // defgh
  plan_cursor cursor;
  cursor.seek(plan, 1);
  std::vector<std::byte> read(13);
  cursor.read_together(read);
  CHECK(text(read) == "23-678923defg");
  CHECK(a.asked == std::vector<std::size_t>{2, 1});
  CHECK(b.asked == std::vector<std::size_t>{1});
  cursor.read_together(std::span(read).first(1));
  CHECK(text(read).front() == 'h');
}
