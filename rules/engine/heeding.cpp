#include <algorithm>

#include "rules/engine/core.hpp"

// What depends on what, and whom the trouble of a service concerns besides itself (SPEC 2.19).

namespace rules {

void Core::link_services() {
  for (Service* service : numbered_) service->needed_by().clear();
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
  std::vector<Service*> concerned;
  for (Service* service : touched_) {
    const std::vector<Service*>& dependants = service->needed_by();
    if (dependants.empty() || !service->note_trouble()) continue;
    concerned.insert(concerned.end(), dependants.begin(), dependants.end());
  }
  for (Service* service : concerned) touch(*service);
  for (Service* service : touched_) service->heed_dependencies();
}

}  // namespace rules
