// SPDX-License-Identifier: GPL-2.0-only
/* xenbus: two buses, the devices on them and their states. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/version.h>

#define FAKE_XEN
#include "fake-xen.h"

static struct xenbus_driver *driver_of(struct xenbus_device *dev)
{
	return container_of(dev->dev.driver, struct xenbus_driver, driver);
}

static enum xenbus_state state_in(const char *dir)
{
	unsigned int state;

	if (fake_scanf(FAKE_PEER_XBT, dir, "state", "%u", &state) != 1)
		return XenbusStateUnknown;
	return state;
}

static void otherend_changed(struct xenbus_watch *watch, const char *path,
			     const char *token)
{
	struct xenbus_device *dev =
		container_of(watch, struct xenbus_device, otherend_watch);

	driver_of(dev)->otherend_changed(dev, state_in(dev->otherend));
}

static int bus_probe(struct device *device)
{
	struct xenbus_device *dev = to_xenbus_device(device);
	struct xenbus_driver *drv = driver_of(dev);
	int err;

	if (!try_module_get(drv->driver.owner))
		return -ENODEV;
	err = drv->probe(dev, drv->ids);
	if (err) {
		module_put(drv->driver.owner);
		return err;
	}
	dev->otherend_watch.node = kasprintf(GFP_KERNEL | __GFP_NOFAIL,
					     "%s/state", dev->otherend);
	dev->otherend_watch.callback = otherend_changed;
	/* Real xenbus says so to the log, and goes on. */
	if (fake_register_watch(&dev->otherend_watch)) {
		kfree(dev->otherend_watch.node);
		dev->otherend_watch.node = NULL;
	}
	return 0;
}

static void bus_remove(struct device *device)
{
	struct xenbus_device *dev = to_xenbus_device(device);
	struct xenbus_driver *drv = driver_of(dev);

	if (dev->otherend_watch.node) {
		fake_unregister_watch(&dev->otherend_watch);
		kfree(dev->otherend_watch.node);
		dev->otherend_watch.node = NULL;
	}
	drv->remove(dev);
	module_put(drv->driver.owner);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
static int bus_match(struct device *device, const struct device_driver *driver)
#else
static int bus_match(struct device *device, struct device_driver *driver)
#endif
{
	const struct xenbus_driver *drv =
		container_of(driver, struct xenbus_driver, driver);

	return !strcmp(drv->ids->devicetype,
		       to_xenbus_device(device)->devicetype);
}

static struct bus_type front_bus = {
	.name = "fake-xen",
	.match = bus_match,
	.probe = bus_probe,
	.remove = bus_remove,
};

static struct bus_type back_bus = {
	.name = "fake-xen-backend",
	.match = bus_match,
	.probe = bus_probe,
	.remove = bus_remove,
};

static int register_driver(struct xenbus_driver *drv, struct bus_type *bus,
			   struct module *owner, const char *mod_name)
{
	drv->driver.name = drv->name ? drv->name : drv->ids->devicetype;
	drv->driver.bus = bus;
	drv->driver.owner = owner;
	drv->driver.mod_name = mod_name;
	return driver_register(&drv->driver);
}

int fake_register_frontend(struct xenbus_driver *drv, struct module *owner,
			   const char *mod_name)
{
	return register_driver(drv, &front_bus, owner, mod_name);
}
EXPORT_SYMBOL_GPL(fake_register_frontend);

int fake_register_backend(struct xenbus_driver *drv, struct module *owner,
			  const char *mod_name)
{
	return register_driver(drv, &back_bus, owner, mod_name);
}
EXPORT_SYMBOL_GPL(fake_register_backend);

void fake_unregister_driver(struct xenbus_driver *drv)
{
	driver_unregister(&drv->driver);
}
EXPORT_SYMBOL_GPL(fake_unregister_driver);

int fake_switch_state(struct xenbus_device *dev, enum xenbus_state state)
{
	if (dev->state == state)
		return 0;
	/* Nothing to be said in a directory that has gone. */
	if (fake_exists(XBT_NIL, dev->nodename, "state")) {
		if (fake_printf(XBT_NIL, dev->nodename, "state", "%d", state))
			return 0;
	}
	dev->state = state;
	return 0;
}
EXPORT_SYMBOL_GPL(fake_switch_state);

static void device_release(struct device *device)
{
	struct xenbus_device *dev = to_xenbus_device(device);

	kfree(dev->nodename);
	kfree(dev->otherend);
	kfree(dev);
}

struct xenbus_device *fake_device_add(bool front, const char *type,
				      const char *dir, const char *other_dir)
{
	struct xenbus_device *dev =
		kzalloc(sizeof(*dev), GFP_KERNEL | __GFP_NOFAIL);
	char *name;

	dev->devicetype = type;
	dev->nodename = kstrdup(dir, GFP_KERNEL | __GFP_NOFAIL);
	dev->otherend = kstrdup(other_dir, GFP_KERNEL | __GFP_NOFAIL);
	dev->otherend_id = FAKE_PEER;
	dev->state = XenbusStateInitialising;
	dev->dev.bus = front ? &front_bus : &back_bus;
	dev->dev.release = device_release;
	name = kstrdup(dir, GFP_KERNEL | __GFP_NOFAIL);
	strreplace(name, '/', '-');
	dev_set_name(&dev->dev, "%s", name);
	kfree(name);
	device_initialize(&dev->dev);
	get_device(&dev->dev);
	if (device_add(&dev->dev)) {
		put_device(&dev->dev);
		put_device(&dev->dev);
		return NULL;
	}
	return dev;
}
EXPORT_SYMBOL_GPL(fake_device_add);

void fake_device_remove(struct xenbus_device *dev)
{
	device_unregister(&dev->dev);
}
EXPORT_SYMBOL_GPL(fake_device_remove);

void fake_device_suspend(struct xenbus_device *dev)
{
	struct xenbus_driver *drv = driver_of(dev);

	if (drv->suspend)
		drv->suspend(dev);
	else
		drv->driver.pm->freeze(&dev->dev);
}
EXPORT_SYMBOL_GPL(fake_device_suspend);

int fake_bus_init(void)
{
	int err = bus_register(&front_bus);

	if (err)
		return err;
	err = bus_register(&back_bus);
	if (err)
		bus_unregister(&front_bus);
	/*
	 * The kernel has a bus of this name, with or without Xen; and this name
	 * is by which the driver knows a vif.
	 */
	front_bus.name = "xen";
	return err;
}

void fake_bus_exit(void)
{
	bus_unregister(&back_bus);
	bus_unregister(&front_bus);
}
