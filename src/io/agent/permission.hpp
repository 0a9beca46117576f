#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "io/agent/definition.hpp"

namespace baton::agent {

/// What this host lets batond start (`--allow FILE`). For the host that batond itself runs on, its
/// configuration is the permission; on every other host the agent's own list is.
///
/// The file has one entry per line, with the words and quotes of the command language:
///
///     /srv/thumbs/worker          this program
///     /srv/tools/                 each program in this folder, not in those below it
///     env=LD_LIBRARY_PATH         a variable that definitions may set; others are refused
///     output=/var/log/thumbs.log  a file that a worker's output may go to
///
/// An entry says which program, not which arguments: an interpreter on the list can run anything.
class Permission {
public:
    /// Everything: the host of batond.
    [[nodiscard]] static Permission everything() { return Permission(); }
    /// Nothing: another host without a list.
    [[nodiscard]] static Permission nothing();
    /// @param name  of the file, for the error
    /// @return in the error: which line is wrong, and why
    [[nodiscard]] static std::expected<Permission, std::string> parse(std::string_view text,
                                                                      std::string_view name);

    /// @param own_program  path and arguments come from this host's own mapping, which is word
    /// enough
    /// @return in the error: what is not allowed and what would allow it; for the operator
    [[nodiscard]] std::expected<void, std::string> check(const Definition& definition,
                                                         bool own_program) const;

private:
    [[nodiscard]] bool allows_program(std::string_view path) const;

    bool everything_ = true;
    std::vector<std::string> programs_;
    std::vector<std::string> folders_;  ///< with the slash
    std::vector<std::string> variables_;
    std::vector<std::string> outputs_;
};

}  // namespace baton::agent
