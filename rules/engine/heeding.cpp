#include <algorithm>

#include "rules/engine/core.hpp"

// What depends on what, and whom the trouble of a service concerns besides itself (SPEC 2.19).

namespace rules {

void Core::link_services() {
  for (Service* service : numbered_) service->depend_on({});
  for (Service* service : numbered_) {
    std::vector<Service*> all;
    for (const ServiceName& name : neighbours_.all_that_it_needs(service->name())) {
      if (Service* one = find(name)) all.push_back(one);
    }
    for (Service* one : all) one->needed_by().push_back(service);
    service->depend_on(std::move(all));
  }
}

// Whom a service's trouble concerns is looked at with it, before anything is done for any of them.
void Core::heed_dependencies() {
  const std::vector<Service*> seen = touched_;
  for (Service* service : seen) {
    if (service->needed_by().empty() || !service->note_trouble()) continue;
    for (Service* dependant : service->needed_by()) touch(*dependant);
  }
  for (Service* service : touched_) service->heed_dependencies();
}

}  // namespace rules
