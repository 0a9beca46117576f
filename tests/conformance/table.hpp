#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace baton::conformance {

/// One row of a table of this folder: `section | verdict | bytes`.
struct Row {
    int line = 0;  ///< of the file
    std::string section;
    std::string verdict;
    std::string bytes;  ///< with escapes and repetitions resolved
};

/// `line12_9112_2_2`: how GoogleTest calls the test of a row.
std::ostream& operator<<(std::ostream& out, const Row& row);

/// Reads a table; empty lines and those that begin with `#` are left out. Throws
/// std::runtime_error, naming file and line, when a row is not in the form.
[[nodiscard]] std::vector<Row> read_table(const std::filesystem::path& file);

}  // namespace baton::conformance
