from django.urls import path

from incidents import views

app_name = "incidents"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("<int:number>/", views.detail, name="detail"),
    path("<int:number>/note/", views.add_note, name="add_note"),
    path("<int:number>/severity/", views.change_severity, name="change_severity"),
    path("<int:number>/status/", views.move, name="move"),
    path("<int:number>/roles/", views.assign, name="assign"),
    path("<int:number>/roles/<int:assignment>/release/", views.release, name="release"),
    path("<int:number>/milestones/", views.edit_milestone, name="edit_milestone"),
    path("<int:number>/timeline/<int:entry>/pin/", views.pin, name="pin"),
]
