#include "watcher/drivers/systemd_evidence.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>

#include "watcher/drivers/environment_secrets.hpp"
#include "watcher/drivers/systemd_link.hpp"

namespace watcher {

namespace {

constexpr std::size_t environment_max = 1024 * 1024;  // bytes; the kernel starts nothing with much more

void take_environment_of(pid_t process, std::vector<std::string>& out) {
  std::ifstream file("/proc/" + std::to_string(process) + "/environ", std::ios::binary);
  std::string all(environment_max, '\0');
  file.read(all.data(), static_cast<std::streamsize>(all.size()));
  all.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::string_view variable = rest.substr(0, rest.find('\0'));
    take_secrets(variable, out);
    rest.remove_prefix(std::min(variable.size() + 1, rest.size()));
  }
}

}  // namespace

std::vector<EvidenceCommand> systemd_evidence(const SystemdRunner& runner, const std::vector<SystemdUnit>& units) {
  std::vector<EvidenceCommand> out(2);
  out[0].file = "systemd-status.txt";
  out[0].child = runner.about_units("systemctl", {"status", "--no-pager", "--full", "--lines=0"}, evidence_limit);
  const std::string link = read_release_link(runner.config()).text;
  for (const SystemdUnit& unit : units) {
    out[0].known_said += "\n" + unit.name + ": " + unit.active + " (" + unit.sub + "), result " + unit.result +
                         ", restarts " + std::to_string(unit.restarts) + ", link to " + link + "\n";
  }
  out[1].file = "systemd-journal.txt";
  out[1].child = runner.about_units("journalctl", {"--no-pager", "--output=short-iso", "--lines=2000"}, evidence_limit);
  return out;
}

std::vector<std::string> systemd_secrets(const std::vector<SystemdUnit>& units) {
  std::vector<std::string> out;
  for (const SystemdUnit& unit : units) {
    out.insert(out.end(), unit.secrets.begin(), unit.secrets.end());
    if (unit.main_pid > 0) take_environment_of(unit.main_pid, out);
  }
  return out;
}

}  // namespace watcher
